-- A user's latest events with the genres of their titles, the latest first: what a profile is made from.
-- column genres: elements not null
SELECT
    e.content_id,
    c.external_id,
    extract(epoch FROM e.at)::double precision AS at,
    e.completion_rate,
    e.rating,
    e.is_rewatch,
    e.dismissed,
    e.device,
    ARRAY(SELECT g.genre FROM content_genres g WHERE g.content_id = e.content_id ORDER BY g.genre) AS genres
FROM users u
JOIN viewing_events e ON e.user_id = u.id
JOIN content c ON c.id = e.content_id
WHERE u.external_id = :user_id
ORDER BY e.at DESC NULLS LAST, e.content_id
LIMIT :events;
