-- Titles that share themes with the seeds, for all seeds at once.
--
-- A seed's themes share its one vote by their weight, and a rare theme weighs more: ln(1 + titles / titles with it). A
-- title's similarity is the part of its votes that the seeds give it on average, 0 to 1.
WITH seed_values AS (
    SELECT t.content_id, t.theme
    FROM content_themes t
    WHERE t.content_id = ANY(:seed_ids::bigint[])
),
weights AS (
    SELECT t.theme, ln(1 + (SELECT count(*) FROM content) / count(*)::double precision) AS weight
    FROM content_themes t
    WHERE t.theme IN (SELECT s.theme FROM seed_values s)
    GROUP BY t.theme
),
votes AS (
    SELECT s.theme, w.weight / sum(w.weight) OVER (PARTITION BY s.content_id) AS vote
    FROM seed_values s
    JOIN weights w USING (theme)
),
shares AS (
    SELECT v.theme, sum(v.vote) / cardinality(:seed_ids::bigint[]) AS share
    FROM votes v
    GROUP BY v.theme
)
SELECT t.content_id, sum(s.share) AS similarity
FROM shares s
JOIN content_themes t USING (theme)
WHERE t.content_id <> ALL(:seed_ids::bigint[])
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT :top_k;
