-- Of each user who watched something in a time, a metric from then on, y, beside the denominator of a ratio or the same
-- metric before, x: what an experiment of that time would have measured. The first users first.
-- scan viewing_events: what was watched is summed over all users
-- scan experiment_conversions: so is what was done
-- column y: not null
-- column x: not null
WITH subjects AS (
    SELECT v.user_id, min(v.at) AS exposed_at
    FROM viewing_events v
    WHERE v.at >= :start AND v.at < :until
    GROUP BY v.user_id
    ORDER BY min(v.at), v.user_id
    LIMIT :most
),
occurrences AS (
    SELECT c.user_id, c.event, c.converted_at AS at, c.value
    FROM (
        SELECT DISTINCT ON (d.user_id, d.event, d.idempotency_key) d.user_id, d.event, d.converted_at, d.value
        FROM experiment_conversions d
        WHERE d.event IN (:event::text, :per::text) AND d.converted_at < :until
        ORDER BY d.user_id, d.event, d.idempotency_key
    ) AS c
    UNION ALL
    SELECT w.user_id, w.event, w.at, w.value
    FROM viewing_measures w
    WHERE (:event::text LIKE 'viewing.%' OR :per::text LIKE 'viewing.%')
        AND w.event IN (:event::text, :per::text)
        AND w.at < :until
),
summed AS (
    SELECT
        s.user_id,
        sum(o.value) FILTER (WHERE o.at >= s.exposed_at AND o.event = :event::text) AS y_sum,
        count(*) FILTER (WHERE o.at >= s.exposed_at AND o.event = :event::text) AS y_count,
        sum(o.value) FILTER (WHERE o.at >= s.exposed_at AND o.event = :per::text) AS per_sum,
        sum(o.value) FILTER (WHERE o.at < s.exposed_at AND o.event = :event::text) AS before_sum,
        count(*) FILTER (WHERE o.at < s.exposed_at AND o.event = :event::text) AS before_count
    FROM subjects s
    JOIN occurrences o ON o.user_id = s.user_id
        AND o.at < s.exposed_at + :window_s::double precision * interval '1 second'
        AND o.at >= s.exposed_at - :before_s::double precision * interval '1 second'
    GROUP BY s.user_id
)
SELECT
    CASE :kind::text
        WHEN 'binary' THEN (coalesce(t.y_count, 0) > 0)::integer
        WHEN 'count' THEN coalesce(t.y_count, 0)
        ELSE coalesce(t.y_sum, 0)
    END::double precision AS y,
    CASE :kind::text
        WHEN 'ratio' THEN coalesce(t.per_sum, 0)
        WHEN 'binary' THEN (coalesce(t.before_count, 0) > 0)::integer
        WHEN 'count' THEN coalesce(t.before_count, 0)
        ELSE coalesce(t.before_sum, 0)
    END::double precision AS x
FROM subjects s
LEFT JOIN summed t ON t.user_id = s.user_id
ORDER BY s.exposed_at, s.user_id;
