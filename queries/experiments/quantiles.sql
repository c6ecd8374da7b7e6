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
    SELECT w.user_id, w.at, w.value
    FROM viewing_measures w
    WHERE :event::text LIKE 'viewing.%' AND w.event = :event::text AND w.at < :until
),
summed AS (
    SELECT s.user_id, sum(o.value) AS y
    FROM subjects s
    JOIN occurrences o ON o.user_id = s.user_id
        AND o.at >= s.exposed_at
        AND o.at < s.exposed_at + :window_s::double precision * interval '1 second'
    GROUP BY s.user_id
)
SELECT percentile_disc(:probabilities::double precision[]) WITHIN GROUP (ORDER BY coalesce(t.y, 0)) AS quantiles
FROM subjects s
LEFT JOIN summed t ON t.user_id = s.user_id;
