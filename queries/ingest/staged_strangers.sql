-- The ids that staged events name and that no content has.
-- needs: ingest/stage_events
SELECT DISTINCT s.content_id
FROM staged_events s
WHERE NOT EXISTS (SELECT FROM content c WHERE c.external_id = s.content_id)
ORDER BY s.content_id;
