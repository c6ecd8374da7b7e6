-- Titles that share themes with the seeds, for all seeds at once.
--
-- The caller gives each theme of the seeds its share of their votes: a seed's themes share one vote, a rare theme more
-- of it. A title's similarity is what its themes have together, 0 to 1.
--
-- The seeds are among the answers: to leave them out here would be a join over all titles.
-- pipelined
-- column similarity: not null
SELECT t.content_id, sum(s.share) AS similarity
FROM unnest(:themes::text[], :shares::double precision[]) AS s (theme, share)
JOIN content_themes t USING (theme)
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT :top_k;
