-- A batch of exposures. The first of a user in a window is kept, and the first of all assigns the user. A user who is
-- met in two variants is marked. What there is already changes nothing, so a batch may be sent again.
WITH given AS (
    SELECT DISTINCT ON (x.experiment_id, x.user_id, x.window_start) x.*
    FROM unnest(
        :experiment_ids::bigint[], :positions::smallint[], :phases::smallint[], :user_ids::text[],
        :exposed_at::timestamptz[], :window_starts::timestamptz[], :slates::text[], :propensities::text[],
        :teams::text[]
    ) AS x (experiment_id, position, phase, user_id, exposed_at, window_start, slate, propensities, teams)
    JOIN experiment_variants v ON v.experiment_id = x.experiment_id AND v.position = x.position
    ORDER BY x.experiment_id, x.user_id, x.window_start, x.exposed_at
),
exposed AS (
    SELECT g.*, u.id AS user_number FROM given g JOIN users u ON u.external_id = g.user_id
),
assigned AS (
    INSERT INTO experiment_assignments AS a (experiment_id, user_id, position, phase, exposed_at, is_mixed)
    SELECT
        e.experiment_id, e.user_number, (array_agg(e.position ORDER BY e.exposed_at))[1],
        (array_agg(e.phase ORDER BY e.exposed_at))[1], min(e.exposed_at), min(e.position) <> max(e.position)
    FROM exposed e
    GROUP BY e.experiment_id, e.user_number
    ORDER BY e.experiment_id, e.user_number
    ON CONFLICT (experiment_id, user_id) DO UPDATE
    SET exposed_at = least(a.exposed_at, excluded.exposed_at),
        is_mixed = a.is_mixed OR excluded.is_mixed OR a.position <> excluded.position
    WHERE a.exposed_at > excluded.exposed_at OR (NOT a.is_mixed AND (excluded.is_mixed OR a.position <> excluded.position))
)
INSERT INTO experiment_exposures (
    experiment_id, user_id, window_start, position, exposed_at, slate, propensities, teams
)
SELECT
    e.experiment_id, e.user_number, e.window_start, e.position, e.exposed_at,
    ARRAY(
        SELECT coalesce(c.id, 0)
        FROM jsonb_array_elements_text(e.slate::jsonb) WITH ORDINALITY AS s (content_id, place)
        LEFT JOIN content c ON c.external_id = s.content_id
        ORDER BY s.place
    ),
    ARRAY(
        SELECT p.value::real
        FROM jsonb_array_elements_text(e.propensities::jsonb) WITH ORDINALITY AS p (value, place)
        ORDER BY p.place
    ),
    ARRAY(
        SELECT t.value::smallint
        FROM jsonb_array_elements_text(e.teams::jsonb) WITH ORDINALITY AS t (value, place)
        ORDER BY t.place
    )
FROM exposed e
ORDER BY e.experiment_id, e.user_number, e.window_start
ON CONFLICT (experiment_id, user_id, window_start) DO NOTHING;
