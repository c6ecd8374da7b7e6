-- A batch of conversions, to each experiment that is running or paused and counts the event; to one only, where it is
-- named. Whether its user was exposed before is asked when it is analysed: the exposure may be on its way still. A key
-- that was recorded before changes nothing.
WITH given AS (
    SELECT x.experiment, x.event, x.user_id, x.idempotency_key, x.value, x.converted_at
    FROM unnest(
        :experiments::text[], :events::text[], :user_ids::text[], :keys::text[], :values::double precision[],
        :converted_at::timestamptz[]
    ) AS x (experiment, event, user_id, idempotency_key, value, converted_at)
),
added AS (
    INSERT INTO experiment_conversions (experiment_id, event, user_id, idempotency_key, value, converted_at)
    SELECT e.id, g.event, u.id, g.idempotency_key, g.value, g.converted_at
    FROM given g
    JOIN users u ON u.external_id = g.user_id
    JOIN experiment_events v ON v.event = g.event
    JOIN experiments e ON e.id = v.experiment_id
    WHERE e.status IN ('running', 'paused') AND (g.experiment = '' OR e.name = g.experiment)
    ON CONFLICT (experiment_id, idempotency_key) DO NOTHING
    RETURNING experiment_id
)
SELECT count(*) AS added FROM added;
