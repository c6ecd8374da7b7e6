-- The titles with the most viewers who did not dismiss them, for those of whom nothing is known.
SELECT c.external_id, count(DISTINCT e.user_id) AS viewers
FROM viewing_events e
JOIN content c ON c.id = e.content_id
WHERE NOT e.dismissed
GROUP BY c.id
ORDER BY viewers DESC, c.id
LIMIT :top_k;
