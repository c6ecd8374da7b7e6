-- Titles of which the source says something else than the database.
-- needs: ingest/stage_content
UPDATE content c
SET
    title = s.title,
    kind = coalesce(s.kind, c.kind),
    year = coalesce(s.year, c.year),
    runtime_minutes = coalesce(s.runtime_minutes, c.runtime_minutes),
    plot = coalesce(s.plot, c.plot)
FROM staged_content s
WHERE c.external_id = s.content_id
    AND (c.title, c.kind, c.year, c.runtime_minutes, c.plot) IS DISTINCT FROM (
        s.title,
        coalesce(s.kind, c.kind),
        coalesce(s.year, c.year),
        coalesce(s.runtime_minutes, c.runtime_minutes),
        coalesce(s.plot, c.plot)
    )
RETURNING c.id;
