-- The users who watched most of the same titles, weighted so that a title few people watched says more.
--
-- Similarity is the weight of the titles in common, as a share of the weight of all seeds, 0 to 1.
WITH seeds AS (
    SELECT e.content_id, ln(1 + (SELECT count(*) FROM users) / count(DISTINCT e.user_id)::double precision) AS weight
    FROM viewing_events e
    WHERE e.content_id = ANY(:seed_ids::bigint[]) AND e.completion_rate >= :minimum_completion::real
    GROUP BY e.content_id
),
viewers AS (
    SELECT DISTINCT e.user_id, e.content_id
    FROM viewing_events e
    WHERE e.content_id = ANY(:seed_ids::bigint[]) AND e.completion_rate >= :minimum_completion::real
)
SELECT
    v.user_id,
    count(*) AS in_common,
    sum(s.weight) / (SELECT sum(weight) FROM seeds) AS similarity
FROM viewers v
JOIN seeds s USING (content_id)
WHERE v.user_id <> (SELECT u.id FROM users u WHERE u.external_id = :user_id)
GROUP BY v.user_id
HAVING count(*) >= :minimum_in_common
ORDER BY similarity DESC, v.user_id
LIMIT :top_k;
