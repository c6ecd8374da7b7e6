-- The events that running and paused experiments count.
SELECT e.name, v.event
FROM experiments e
JOIN experiment_events v ON v.experiment_id = e.id
WHERE e.status IN ('running', 'paused')
ORDER BY e.name, v.event;
