-- The users with viewing events: the rows of the training matrix.
SELECT u.id, u.external_id
FROM users u
WHERE EXISTS (SELECT FROM viewing_events e WHERE e.user_id = u.id)
ORDER BY u.id;
