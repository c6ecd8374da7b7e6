-- What users of an experiment were shown, title by title, with the chance that each was put on its place, and whether it
-- was watched within so long. A page of exposures, those behind a key.
WITH page AS (
    SELECT x.experiment_id, x.user_id, x.window_start, x.position, x.exposed_at, x.slate, x.propensities, x.teams
    FROM experiment_exposures x
    WHERE x.experiment_id = :experiment_id
        AND (x.user_id, x.window_start) > (:after_user::bigint, :after_window::timestamptz)
    ORDER BY x.user_id, x.window_start
    LIMIT :top_k
)
SELECT
    p.user_id AS user_number, p.window_start, u.external_id AS user_id, p.exposed_at, v.name AS variant,
    s.place::integer AS place, c.external_id AS content_id, p.propensities[s.place] AS propensity,
    CASE WHEN cardinality(p.teams) > 0 THEN (
        SELECT w.name FROM experiment_variants w
        WHERE w.experiment_id = p.experiment_id AND w.position = p.teams[s.place]
    ) END AS team,
    EXISTS (
        SELECT FROM viewing_events e
        WHERE e.user_id = p.user_id
            AND e.content_id = s.content_id
            AND e.at >= p.exposed_at
            AND e.at < p.exposed_at + :window_s::double precision * interval '1 second'
            AND NOT e.dismissed
    ) AS watched
FROM page p
JOIN experiment_variants v ON v.experiment_id = p.experiment_id AND v.position = p.position
JOIN users u ON u.id = p.user_id
CROSS JOIN LATERAL unnest(p.slate) WITH ORDINALITY AS s (content_id, place)
LEFT JOIN content c ON c.id = s.content_id
ORDER BY p.user_id, p.window_start, s.place;
