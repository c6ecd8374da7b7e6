-- The view over the events that are not hidden.
-- utility
CREATE TEMP VIEW watch_progress AS
SELECT user_id, content_id, max(completion_rate) AS completion_rate, max(at) AS last_watched
FROM viewing_events
WHERE completion_rate > 0
GROUP BY user_id, content_id;
