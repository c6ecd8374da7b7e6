-- What assignment needs of every running experiment, its variants in order.
SELECT
    e.id,
    e.name,
    e.salt,
    e.traffic_allocation,
    e.namespace,
    e.namespace_from,
    e.namespace_to,
    e.targeting,
    array_agg(v.name ORDER BY v.position) AS variants,
    array_agg(v.weight ORDER BY v.position) AS weights,
    array_agg(v.config ORDER BY v.position) AS configs
FROM experiments e
JOIN experiment_variants v ON v.experiment_id = e.id
WHERE e.status = 'running'
GROUP BY e.id;
