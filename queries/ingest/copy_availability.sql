-- Fill the staging table.
-- utility
COPY staged_availability (content_id, region, starts_at, ends_at) FROM STDIN;
