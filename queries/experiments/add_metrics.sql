-- The metrics of an experiment, all at once.
INSERT INTO experiment_metrics (experiment_id, name, kind, definition, higher_is_better, is_guardrail)
SELECT :experiment_id, m.name, m.kind, m.definition, m.higher_is_better, m.is_guardrail
FROM unnest(
    :names::text[], :kinds::text[], :definitions::jsonb[], :directions::boolean[], :guardrails::boolean[]
) AS m (name, kind, definition, higher_is_better, is_guardrail);
