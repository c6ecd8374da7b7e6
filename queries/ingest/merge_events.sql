-- Events that the database does not have yet.
INSERT INTO viewing_events (user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device)
SELECT user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device
FROM resolved_events
ORDER BY user_id, content_id, at -- in the order of the index, which is filled faster so
ON CONFLICT (user_id, content_id, at) DO NOTHING;
