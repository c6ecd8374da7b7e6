-- The titles that a user watched last, the latest first: the seeds of the graph.
SELECT p.content_id, c.external_id, p.completion_rate, p.last_watched
FROM users u
JOIN watch_progress p ON p.user_id = u.id
JOIN content c ON c.id = p.content_id
WHERE u.external_id = :user_id
ORDER BY p.last_watched DESC NULLS LAST, p.content_id
LIMIT :top_k;
