-- Take the variants and events of a draft away, to be written anew. What hangs on a variant goes with it: a draft has none.
WITH variants AS (DELETE FROM experiment_variants WHERE experiment_id = :experiment_id)
DELETE FROM experiment_events WHERE experiment_id = :experiment_id;
