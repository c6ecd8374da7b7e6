-- Quantiles of a metric, the sum of an event's values, over the users of a variant.
-- scan viewing_events: what was watched is summed over all users of a variant
-- column quantiles: elements not null
WITH subjects AS (
    SELECT a.user_id, a.exposed_at
    FROM experiment_assignments a
    WHERE a.experiment_id = :experiment_id AND a.position = :position AND a.exposed_at < :until AND NOT a.is_mixed
),
occurrences AS (
    SELECT c.user_id, c.converted_at AS at, c.value
    FROM experiment_conversions c
    WHERE c.experiment_id = :experiment_id AND c.event = :event::text AND c.converted_at < :until
    UNION ALL
    SELECT v.user_id, v.at, w.value
    FROM viewing_events v
    CROSS JOIN LATERAL (
        VALUES
            ('viewing.titles', (NOT v.dismissed)::integer::double precision),
            ('viewing.completion', v.completion_rate::double precision),
            ('viewing.completed', (v.completion_rate >= 0.9)::integer::double precision),
            ('viewing.dismissed', v.dismissed::integer::double precision)
    ) AS w (event, value)
    WHERE :event::text LIKE 'viewing.%' AND w.event = :event::text AND w.value > 0 AND v.at < :until
),
summed AS (
    SELECT s.user_id, sum(o.value) AS y
    FROM subjects s
    JOIN occurrences o ON o.user_id = s.user_id
        AND o.at >= s.exposed_at
        AND o.at < s.exposed_at + :window_s::double precision * interval '1 second'
    GROUP BY s.user_id
)
SELECT
    count(*) AS users,
    percentile_disc(:probabilities::double precision[]) WITHIN GROUP (ORDER BY coalesce(t.y, 0)) AS quantiles
FROM subjects s
LEFT JOIN summed t ON t.user_id = s.user_id;
