-- The titles that are watched most these days: each view counts half as much for every half-life of age before the
-- latest. A view of unknown time is as old as can be, and counts as little.
-- scan viewing_events: what is watched these days is a sum over all that was watched
SELECT c.external_id, c.title, sum(
    CASE WHEN e.at IS NULL THEN 1e-9
        ELSE 0.5 ^ least((extract(epoch FROM latest.at) - extract(epoch FROM e.at)) / (86400 * :half_life_days::double precision), 30)::double precision
    END
) AS popularity
FROM viewing_events e
CROSS JOIN (SELECT max(at) AS at FROM viewing_events) AS latest
JOIN content c ON c.id = e.content_id
WHERE e.completion_rate >= :minimum_completion::real AND NOT e.dismissed
GROUP BY c.id
ORDER BY popularity DESC, c.external_id
LIMIT :top_k;
