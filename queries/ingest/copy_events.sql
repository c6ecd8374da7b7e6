-- Fill the staging table.
-- utility
COPY staged_events (user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device) FROM STDIN;
