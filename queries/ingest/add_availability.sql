-- Windows that the staged titles have not had before.
-- needs: ingest/stage_availability
INSERT INTO content_availability (content_id, region, starts_at, ends_at)
SELECT c.id, s.region, s.starts_at, s.ends_at
FROM staged_availability s
JOIN content c ON c.external_id = s.content_id
ON CONFLICT DO NOTHING;
