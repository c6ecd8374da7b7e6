-- Titles that share themes with the seeds, for all seeds at once.
--
-- The caller gives each theme of the seeds its share of their votes: a seed's themes share one vote, a rare theme more
-- of it. A title's similarity is what its themes have together, 0 to 1.
-- pipelined
-- column similarity: not null
SELECT t.content_id, sum(s.share) AS similarity
FROM unnest(:themes::text[], :shares::double precision[]) AS s (theme, share)
JOIN content_themes t USING (theme)
WHERE NOT EXISTS (SELECT FROM unnest(:seed_ids::bigint[]) AS seed (id) WHERE seed.id = t.content_id)
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT :top_k;
