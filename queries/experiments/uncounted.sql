-- Conversions that no metric counts: of users who were never exposed, and of those who converted before.
SELECT
    c.event,
    count(*) FILTER (WHERE a.user_id IS NULL) AS without_exposure,
    count(*) FILTER (WHERE c.converted_at < a.exposed_at) AS before_exposure
FROM experiment_conversions c
LEFT JOIN experiment_assignments a ON a.experiment_id = c.experiment_id
    AND a.user_id = c.user_id
    AND a.exposed_at < :until
WHERE c.experiment_id = :experiment_id AND c.converted_at < :until
GROUP BY c.event
ORDER BY c.event;
