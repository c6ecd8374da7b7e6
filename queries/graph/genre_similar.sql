-- Titles that share genres with the seeds, for all seeds at once.
--
-- A seed's genres share its one vote by their weight, and a rare genre weighs more: ln(1 + titles / titles with it). A
-- title's similarity is the part of its votes that the seeds give it on average, 0 to 1.
WITH seed_values AS (
    SELECT t.content_id, t.genre
    FROM content_genres t
    WHERE t.content_id = ANY(:seed_ids::bigint[])
),
weights AS (
    SELECT t.genre, ln(1 + (SELECT count(*) FROM content) / count(*)::double precision) AS weight
    FROM content_genres t
    WHERE t.genre IN (SELECT s.genre FROM seed_values s)
    GROUP BY t.genre
),
votes AS (
    SELECT s.genre, w.weight / sum(w.weight) OVER (PARTITION BY s.content_id) AS vote
    FROM seed_values s
    JOIN weights w USING (genre)
),
shares AS (
    SELECT v.genre, sum(v.vote) / cardinality(:seed_ids::bigint[]) AS share
    FROM votes v
    GROUP BY v.genre
)
SELECT t.content_id, sum(s.share) AS similarity
FROM shares s
JOIN content_genres t USING (genre)
WHERE t.content_id <> ALL(:seed_ids::bigint[])
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT :top_k;
