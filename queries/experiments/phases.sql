-- The phases of an experiment, the first one first.
-- column weights: elements not null
SELECT weights, began_at FROM experiment_phases WHERE experiment_id = :experiment_id ORDER BY phase;
