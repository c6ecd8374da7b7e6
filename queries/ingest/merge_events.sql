-- Events that the database does not have yet. They were resolved in the order of the index, which is filled faster so.
-- needs: ingest/stage_events, ingest/resolve_events
INSERT INTO viewing_events (user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device)
SELECT user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device
FROM resolved_events
ON CONFLICT (user_id, content_id, at) DO NOTHING;
