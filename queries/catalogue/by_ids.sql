-- What is shown of some titles.
-- column genres: elements not null
SELECT
    c.external_id,
    c.title,
    c.year,
    c.kind,
    c.runtime_minutes,
    coalesce((SELECT array_agg(g.genre ORDER BY g.genre) FROM content_genres g WHERE g.content_id = c.id), '{}') AS genres
FROM content c
WHERE c.external_id = ANY(:content_ids);
