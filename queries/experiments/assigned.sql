-- The variants that a user was exposed to already, of running experiments.
-- pipelined
SELECT a.experiment_id, a.position
FROM experiment_assignments a
JOIN users u ON u.id = a.user_id
JOIN experiments e ON e.id = a.experiment_id
WHERE u.external_id = :user_id AND e.status = 'running';
