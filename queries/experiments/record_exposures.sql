-- A batch of exposures; the first of a user in a window counts, the others change nothing.
INSERT INTO experiment_exposures (experiment_id, position, user_id, exposed_at, window_start)
SELECT x.experiment_id, x.position, u.id, x.exposed_at, x.window_start
FROM unnest(
    :experiment_ids::bigint[], :positions::smallint[], :user_ids::text[], :exposed_at::timestamptz[],
    :window_starts::timestamptz[]
) AS x (experiment_id, position, user_id, exposed_at, window_start)
JOIN users u ON u.external_id = x.user_id
ON CONFLICT (experiment_id, user_id, window_start) DO NOTHING;
