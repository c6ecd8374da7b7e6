-- The variants of an experiment, all at once, the control first.
INSERT INTO experiment_variants (experiment_id, position, name, weight, config)
SELECT :experiment_id, v.position - 1, v.name, v.weight, v.config
FROM unnest(:names::text[], :weights::double precision[], :configs::jsonb[])
    WITH ORDINALITY AS v (name, weight, config, position);
