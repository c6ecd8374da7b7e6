-- For each phase and variant a metric over the users who did something that it counts, y, beside what is known of them
-- besides, x: the denominator of a ratio, or the same metric before the exposure. What the statistics need, and no row for
-- each user; of those who are left out both are 0.
--
-- Counted is what happened from the exposure on, within the window, before `until`. A value above the given share of the
-- users who have one is taken as that one.
-- scan viewing_events: what was watched is summed over all users of an experiment
-- column y_deviations: not null
-- column x_deviations: not null
-- column products: not null
-- column y_total: not null
-- column x_total: not null
WITH occurrences AS (
    SELECT c.user_id, c.event, c.converted_at AS at, c.value
    FROM experiment_conversions c
    WHERE c.experiment_id = :experiment_id
        AND c.event IN (:event::text, :per::text)
        AND c.converted_at < :until
    UNION ALL
    SELECT w.user_id, w.event, w.at, w.value
    FROM viewing_measures w
    WHERE (:event::text LIKE 'viewing.%' OR :per::text LIKE 'viewing.%')
        AND w.event IN (:event::text, :per::text)
        AND w.at < :until
),
summed AS (
    SELECT
        a.user_id,
        a.phase,
        a.position,
        sum(o.value) FILTER (WHERE o.at >= a.exposed_at AND o.event = :event::text) AS y_sum,
        count(*) FILTER (WHERE o.at >= a.exposed_at AND o.event = :event::text) AS y_count,
        sum(o.value) FILTER (WHERE o.at >= a.exposed_at AND o.event = :per::text) AS per_sum,
        sum(o.value) FILTER (WHERE o.at < a.exposed_at AND o.event = :event::text) AS before_sum,
        count(*) FILTER (WHERE o.at < a.exposed_at AND o.event = :event::text) AS before_count
    FROM occurrences o
    JOIN experiment_assignments a ON a.experiment_id = :experiment_id
        AND a.user_id = o.user_id
        AND a.exposed_at < :until
        AND NOT a.is_mixed
        AND o.at < a.exposed_at + :window_s::double precision * interval '1 second'
        AND o.at >= a.exposed_at - :before_s::double precision * interval '1 second'
    GROUP BY a.user_id, a.phase, a.position
),
valued AS (
    SELECT
        t.phase,
        t.position,
        CASE :kind::text
            WHEN 'binary' THEN (t.y_count > 0)::integer
            WHEN 'count' THEN t.y_count
            ELSE coalesce(t.y_sum, 0)
        END::double precision AS y,
        CASE :kind::text
            WHEN 'ratio' THEN coalesce(t.per_sum, 0)
            WHEN 'binary' THEN (t.before_count > 0)::integer
            WHEN 'count' THEN t.before_count
            ELSE coalesce(t.before_sum, 0)
        END::double precision AS x
    FROM summed t
),
caps AS (
    SELECT
        percentile_cont(:winsorize::double precision) WITHIN GROUP (ORDER BY nullif(v.y, 0)) AS y,
        percentile_cont(:winsorize::double precision) WITHIN GROUP (ORDER BY nullif(v.x, 0)) AS x
    FROM valued v
    WHERE :winsorize::double precision < 1
),
capped AS (
    SELECT
        v.phase,
        v.position,
        least(v.y, c.y) AS y,
        CASE WHEN :kind::text = 'ratio' THEN v.x ELSE least(v.x, c.x) END AS x
    FROM valued v
    CROSS JOIN caps c
)
SELECT
    c.phase,
    c.position,
    count(*) AS users,
    sum(c.y) AS y_total,
    regr_syy(c.y, c.x) AS y_deviations,
    sum(c.x) AS x_total,
    regr_sxx(c.y, c.x) AS x_deviations,
    regr_sxy(c.y, c.x) AS products
FROM capped c
GROUP BY c.phase, c.position
ORDER BY c.phase, c.position;
