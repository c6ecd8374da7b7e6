-- Titles that share genres with the seeds, for all seeds at once.
--
-- The caller gives each genre of the seeds its share of their votes: a seed's genres share one vote, a rare genre more
-- of it. A title's similarity is what its genres have together, 0 to 1.
--
-- The seeds are among the answers: to leave them out here would be a join over all titles.
-- pipelined
-- column similarity: not null
SELECT t.content_id, sum(s.share) AS similarity
FROM unnest(:genres::text[], :shares::double precision[]) AS s (genre, share)
JOIN content_genres t USING (genre)
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT :top_k;
