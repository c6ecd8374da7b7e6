-- How many users are in each variant, phase by phase, and how many were met in two.
SELECT
    a.phase, a.position, count(*) FILTER (WHERE NOT a.is_mixed) AS users, count(*) FILTER (WHERE a.is_mixed) AS mixed
FROM experiment_assignments a
WHERE a.experiment_id = :experiment_id AND a.exposed_at < :until
GROUP BY a.phase, a.position
ORDER BY a.phase, a.position;
