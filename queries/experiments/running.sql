-- Every running experiment, and the phase that it is in.
-- column weights: elements not null
-- mgw: noqa[MGWQ009] as many as run at once
SELECT e.id, e.definition, e.started_at, p.phase, p.weights
FROM experiments e
JOIN LATERAL (
    SELECT q.phase, q.weights FROM experiment_phases q WHERE q.experiment_id = e.id ORDER BY q.phase DESC LIMIT 1
) AS p ON true
WHERE e.status = 'running' AND e.started_at IS NOT NULL
ORDER BY e.id;
