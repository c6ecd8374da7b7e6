-- For each variant the moments of a metric over its users: what the statistics need, and no row for each user.
WITH exposed AS (
    SELECT x.user_id, min(x.position) AS position, min(x.exposed_at) AS first_exposed_at
    FROM experiment_exposures x
    WHERE x.experiment_id = :experiment_id
    GROUP BY x.user_id
),
totals AS (
    SELECT s.position, s.user_id, coalesce(sum(c.value), 0) AS total
    FROM exposed s
    LEFT JOIN experiment_conversions c ON c.experiment_id = :experiment_id
        AND c.metric = :metric
        AND c.user_id = s.user_id
        AND c.converted_at >= s.first_exposed_at
    GROUP BY s.position, s.user_id
)
SELECT
    t.position,
    count(*) AS users,
    count(*) FILTER (WHERE t.total <> 0) AS converted,
    sum(t.total) AS sum,
    sum(t.total * t.total) AS sum_of_squares
FROM totals t
GROUP BY t.position
ORDER BY t.position;
