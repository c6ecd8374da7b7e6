-- What the catalogue says of each title, as words: what titles with the same word have in common.
-- column features: elements not null
SELECT c.id, array_agg(f.feature ORDER BY f.feature) AS features
FROM content c
CROSS JOIN LATERAL (
    SELECT 'kind ' || c.kind AS feature
    UNION ALL
    SELECT 'year ' || c.year WHERE c.year IS NOT NULL
    UNION ALL
    SELECT 'decade ' || c.year / 10 WHERE c.year IS NOT NULL
    UNION ALL
    SELECT 'genre ' || g.genre FROM content_genres g WHERE g.content_id = c.id
    UNION ALL
    SELECT 'theme ' || t.theme FROM content_themes t WHERE t.content_id = c.id
    UNION ALL
    SELECT p.role || ' ' || p.person FROM credits p WHERE p.content_id = c.id
) AS f
GROUP BY c.id
ORDER BY c.id;
