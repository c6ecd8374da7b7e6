-- How many of the events are in the database already, and how many of those with other values; what is there stays.
-- needs: ingest/stage_events, ingest/resolve_events
SELECT
    count(*) AS known,
    count(*) FILTER (
        WHERE (e.completion_rate, e.rating, e.is_rewatch, e.dismissed, e.device)
            IS DISTINCT FROM (r.completion_rate, r.rating, r.is_rewatch, r.dismissed, r.device)
    ) AS conflicting
FROM resolved_events r
JOIN viewing_events e ON e.user_id = r.user_id AND e.content_id = r.content_id AND e.at IS NOT DISTINCT FROM r.at;
