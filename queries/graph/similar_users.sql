-- The users who watched most of the same titles, weighted by the caller: a title that few people watched should say more.
--
-- Of each seed only the latest viewers count, so that a seed that everybody has seen costs no more than another.
-- Similarity is the weight of the titles in common, as a share of the weight of all seeds, 0 to 1.
-- pipelined
-- column similarity: not null
WITH seeds AS (
    SELECT s.content_id, s.weight
    FROM unnest(:seed_ids::bigint[], :seed_weights::double precision[]) AS s (content_id, weight)
),
viewers AS (
    SELECT DISTINCT latest.user_id, s.content_id, s.weight
    FROM seeds s
    CROSS JOIN LATERAL (
        SELECT e.user_id
        FROM viewing_events e
        WHERE e.content_id = s.content_id AND e.completion_rate >= :minimum_completion::real
        ORDER BY e.at DESC NULLS LAST, e.user_id
        LIMIT :viewers_per_seed
    ) AS latest
)
SELECT v.user_id, count(*) AS in_common, sum(v.weight) / (SELECT sum(weight) FROM seeds) AS similarity
FROM viewers v
WHERE v.user_id <> (SELECT u.id FROM users u WHERE u.external_id = :user_id)
GROUP BY v.user_id
HAVING count(*) >= :minimum_in_common
ORDER BY similarity DESC, v.user_id
LIMIT :top_k;
