-- Add events of one user on titles that there are, and return those that were not there yet. No rating is 0, no device is
-- empty.
WITH added AS (
    INSERT INTO viewing_events (user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device)
    SELECT
        :user_id, c.id, e.at, e.completion_rate, nullif(e.rating, 0), e.is_rewatch, e.dismissed, nullif(e.device, '')
    FROM unnest(
        :content_ids::text[],
        :at::timestamptz[],
        :completion_rates::real[],
        :ratings::real[],
        :are_rewatched::boolean[],
        :are_dismissed::boolean[],
        :devices::text[]
    ) AS e (content_id, at, completion_rate, rating, is_rewatch, dismissed, device)
    JOIN content c ON c.external_id = e.content_id
    ON CONFLICT (user_id, content_id, at) DO NOTHING
    RETURNING content_id, at, completion_rate, rating, is_rewatch, dismissed
)
SELECT
    c.external_id,
    extract(epoch FROM a.at)::double precision AS at,
    a.completion_rate,
    a.rating,
    a.is_rewatch,
    a.dismissed
FROM added a
JOIN content c ON c.id = a.content_id
ORDER BY a.at NULLS FIRST, c.external_id;
