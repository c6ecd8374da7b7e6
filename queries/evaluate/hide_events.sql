-- A table of the same name, which is found before the real one: the graph queries then see the events of the training.
-- utility
-- needs: evaluate/stage_pairs
CREATE TEMP TABLE viewing_events ON COMMIT DROP AS
SELECT e.user_id, e.content_id, e.at, e.completion_rate, e.rating, e.dismissed
FROM viewing_events e
JOIN known_pairs k ON k.user_id = e.user_id AND k.content_id = e.content_id
WHERE e.at IS NULL OR e.at <= k.until;
