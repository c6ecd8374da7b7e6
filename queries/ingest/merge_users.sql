-- Users whom the database does not know yet.
-- needs: ingest/stage_events
INSERT INTO users (external_id)
SELECT user_id FROM staged_events GROUP BY user_id ORDER BY min(position)
ON CONFLICT (external_id) DO NOTHING;
