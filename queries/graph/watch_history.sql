-- The titles that a user watched last, the latest first: the seeds of the graph.
--
-- Where times are not known or equal, ids decide, but hashed: in their own order, old titles would always come first.
-- pipelined
SELECT p.content_id, p.completion_rate, p.last_watched
FROM watch_progress p
WHERE p.user_id = (SELECT u.id FROM users u WHERE u.external_id = :user_id) -- not a join: it would not reach into the view
ORDER BY p.last_watched DESC NULLS LAST, hashint8(p.content_id), p.content_id
LIMIT :top_k;
