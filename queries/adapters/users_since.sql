-- Who has watched, rated or dismissed something since.
-- scan viewing_events: there is an index by user and time, and none by time alone
SELECT u.external_id
FROM users u
WHERE EXISTS (SELECT FROM viewing_events e WHERE e.user_id = u.id AND e.at >= :since::timestamptz)
ORDER BY u.id;
