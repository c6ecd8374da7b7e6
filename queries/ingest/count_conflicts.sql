-- How many events are in the database already, but with other values; what is there stays.
SELECT count(*)
FROM resolved_events r
JOIN viewing_events e ON e.user_id = r.user_id AND e.content_id = r.content_id AND e.at IS NOT DISTINCT FROM r.at
WHERE (e.completion_rate, e.rating, e.is_rewatch, e.dismissed)
    IS DISTINCT FROM (r.completion_rate, r.rating, r.is_rewatch, r.dismissed);
