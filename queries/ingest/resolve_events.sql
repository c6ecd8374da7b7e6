-- The staged events under the database's own ids, one for each user, title and time: the first that was staged.
-- utility
-- needs: ingest/stage_events
CREATE TEMP TABLE resolved_events ON COMMIT DROP AS
SELECT DISTINCT ON (u.id, c.id, s.at)
    u.id AS user_id,
    c.id AS content_id,
    s.at,
    s.completion_rate,
    s.rating,
    s.is_rewatch,
    s.dismissed,
    s.device
FROM staged_events s
JOIN users u ON u.external_id = s.user_id
JOIN content c ON c.external_id = s.content_id
ORDER BY u.id, c.id, s.at, s.position;
