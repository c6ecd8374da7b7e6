-- How often titles of each length were watched on each device: short, medium and long ones are 0, 1 and 2.
-- column length: not null
-- scan viewing_events: training reads all of them
SELECT
    e.device,
    CASE WHEN c.runtime_minutes < :short_minutes THEN 0 WHEN c.runtime_minutes <= :long_minutes THEN 1 ELSE 2 END AS length,
    count(*) AS views
FROM viewing_events e
JOIN content c ON c.id = e.content_id
WHERE e.device IS NOT NULL
    AND c.runtime_minutes IS NOT NULL
    AND e.completion_rate >= :minimum_completion::real
    AND NOT e.dismissed
GROUP BY e.device, length
ORDER BY e.device, length;
