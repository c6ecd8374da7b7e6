-- Titles that share directors with the seeds, for all seeds at once.
--
-- The caller gives each director of the seeds its share of their votes: a seed's directors share one vote, a rare
-- director more of it. A title's similarity is what its directors have together, 0 to 1.
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
        AND c.role = 'director'
    OFFSET 0 -- person by person, by the index, however many credits there are
) AS t
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT :top_k;
