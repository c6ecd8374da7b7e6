-- The variants of an experiment, all at once, the control first.
INSERT INTO experiment_variants (experiment_id, position, name)
SELECT :experiment_id, v.position - 1, v.name
FROM unnest(:names::text[]) WITH ORDINALITY AS v (name, position);
