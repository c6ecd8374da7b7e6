-- The models that variants name, of the experiments that run and of those that still may.
-- mgw: noqa[MGWQ009] as many as are not over
-- column variant: not null
-- column model: not null
SELECT e.name AS experiment, e.status, v.variant ->> 'name' AS variant, v.variant #>> '{config,model}' AS model
FROM experiments e
CROSS JOIN LATERAL jsonb_array_elements(e.definition -> 'variants') AS v (variant)
WHERE e.status IN ('draft', 'running', 'paused') AND v.variant #>> '{config,model}' IS NOT NULL
ORDER BY e.id;
