-- Titles that share directors with the seeds, for all seeds at once.
--
-- A seed's persons share its one vote by their weight, and a rare person weighs more: ln(1 + titles / titles with it). A
-- title's similarity is the part of its votes that the seeds give it on average, 0 to 1.
WITH seed_values AS (
    SELECT t.content_id, t.person
    FROM credits t
    WHERE t.content_id = ANY(:seed_ids::bigint[])
    AND t.role = 'director'
),
weights AS (
    SELECT t.person, ln(1 + (SELECT count(*) FROM content) / count(*)::double precision) AS weight
    FROM credits t
    WHERE t.person IN (SELECT s.person FROM seed_values s)
    AND t.role = 'director'
    GROUP BY t.person
),
votes AS (
    SELECT s.person, w.weight / sum(w.weight) OVER (PARTITION BY s.content_id) AS vote
    FROM seed_values s
    JOIN weights w USING (person)
),
shares AS (
    SELECT v.person, sum(v.vote) / cardinality(:seed_ids::bigint[]) AS share
    FROM votes v
    GROUP BY v.person
)
SELECT t.content_id, sum(s.share) AS similarity
FROM shares s
JOIN credits t USING (person)
WHERE t.content_id <> ALL(:seed_ids::bigint[])
    AND t.role = 'director'
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT :top_k;
