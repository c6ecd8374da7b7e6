-- Of the users of an interleaved experiment, the mean credit: of the titles that they were shown and then watched within
-- the window, those of the second team less those of the first, as a share of both; 0 of who watched none.
-- scan viewing_events: what was watched is looked up for all users of an experiment
WITH shown AS (
    SELECT x.user_id, t.content_id, min(x.exposed_at) AS exposed_at, (array_agg(t.team ORDER BY x.exposed_at))[1] AS team
    FROM experiment_exposures x
    CROSS JOIN LATERAL unnest(x.slate, x.teams) AS t (content_id, team)
    WHERE x.experiment_id = :experiment_id AND x.exposed_at < :until
    GROUP BY x.user_id, t.content_id
),
points AS (
    SELECT s.user_id, count(*) FILTER (WHERE s.team = 1) AS second, count(*) FILTER (WHERE s.team = 0) AS first
    FROM shown s
    WHERE EXISTS (
        SELECT FROM viewing_events v
        WHERE v.user_id = s.user_id
            AND v.content_id = s.content_id
            AND v.at >= s.exposed_at
            AND v.at < s.exposed_at + :window_s::double precision * interval '1 second'
            AND v.at < :until
            AND NOT v.dismissed
    )
    GROUP BY s.user_id
),
credited AS (
    SELECT coalesce((p.second - p.first)::double precision / (p.second + p.first), 0) AS credit, p.user_id IS NOT NULL AS is_any
    FROM experiment_assignments a
    LEFT JOIN points p ON p.user_id = a.user_id
    WHERE a.experiment_id = :experiment_id AND a.exposed_at < :until
)
SELECT
    count(*) AS users,
    count(*) FILTER (WHERE c.is_any) AS with_credit,
    coalesce(sum(c.credit), 0) AS total,
    coalesce(regr_syy(c.credit, 0), 0) AS deviations
FROM credited c;
