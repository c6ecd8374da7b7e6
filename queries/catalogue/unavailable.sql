-- Titles that have windows, but none that is open at a moment in a region; without a region, in any.
-- param region: null
SELECT c.external_id
FROM content c
WHERE EXISTS (SELECT FROM content_availability a WHERE a.content_id = c.id)
    AND NOT EXISTS (
        SELECT
        FROM content_availability a
        WHERE a.content_id = c.id
            AND (:region::text IS NULL OR a.region IS NULL OR a.region = :region::text)
            AND (a.starts_at IS NULL OR a.starts_at <= :moment)
            AND (a.ends_at IS NULL OR a.ends_at > :moment)
    );
