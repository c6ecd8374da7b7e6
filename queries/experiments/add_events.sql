-- The events that the metrics of an experiment count; those that are there stay.
INSERT INTO experiment_events (experiment_id, event)
SELECT :experiment_id, unnest(:events::text[])
ON CONFLICT (experiment_id, event) DO NOTHING;
