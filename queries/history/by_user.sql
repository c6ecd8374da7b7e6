-- Everything that a user watched, rated or dismissed, oldest first; events of unknown time come before the others.
-- pipelined
SELECT
    c.external_id,
    extract(epoch FROM e.at)::float8 AS at,
    e.completion_rate,
    e.rating,
    e.is_rewatch,
    e.dismissed
FROM viewing_events e
JOIN users u ON u.id = e.user_id
JOIN content c ON c.id = e.content_id
WHERE u.external_id = :user_id
ORDER BY e.at NULLS FIRST, c.external_id;
