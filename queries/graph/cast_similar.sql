-- Titles that share leading actors with the seeds, for all seeds at once.
--
-- The caller gives each actor of the seeds its share of their votes: a seed's actors share one vote, a rare actor more
-- of it. A title's similarity is what its actors have together, 0 to 1.
--
-- The seeds are among the answers: to leave them out here would be a join over all titles.
-- pipelined
-- column similarity: not null
SELECT t.content_id, sum(s.share) AS similarity
FROM unnest(:persons::text[], :shares::double precision[]) AS s (person, share)
CROSS JOIN LATERAL (
    SELECT c.content_id
    FROM credits c
    WHERE c.person = s.person
        AND c.role = 'actor'
        AND c.billing_position <= :billed
    OFFSET 0 -- person by person, by the index, however many credits there are
) AS t
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT :top_k;
