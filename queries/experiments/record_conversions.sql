-- A batch of conversions of users who were exposed before; a key that was recorded before changes nothing.
INSERT INTO experiment_conversions (experiment_id, metric, user_id, idempotency_key, value, converted_at)
SELECT x.experiment_id, x.metric, u.id, x.idempotency_key, x.value, x.converted_at
FROM unnest(
    :experiment_ids::bigint[], :metrics::text[], :user_ids::text[], :keys::text[], :values::double precision[],
    :converted_at::timestamptz[]
) AS x (experiment_id, metric, user_id, idempotency_key, value, converted_at)
JOIN users u ON u.external_id = x.user_id
WHERE EXISTS (
    SELECT FROM experiment_exposures s
    WHERE s.experiment_id = x.experiment_id AND s.user_id = u.id AND s.exposed_at <= x.converted_at
)
ON CONFLICT (experiment_id, idempotency_key) DO NOTHING;
