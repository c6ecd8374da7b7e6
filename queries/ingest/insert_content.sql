-- Titles that the database does not have yet.
-- needs: ingest/stage_content
INSERT INTO content (external_id, title, kind, year, runtime_minutes, plot)
SELECT content_id, title, coalesce(kind, 'film'), year, runtime_minutes, plot
FROM staged_content
ORDER BY position
ON CONFLICT (external_id) DO NOTHING
RETURNING id;
