-- From now on users are assigned by these weights.
INSERT INTO experiment_phases (experiment_id, phase, weights)
SELECT :experiment_id, coalesce(max(phase) + 1, 0), :weights
FROM experiment_phases
WHERE experiment_id = :experiment_id;
