-- Windows of the staged titles that the source does not have; those of other titles stay.
-- needs: ingest/stage_availability
DELETE FROM content_availability a
USING content c
WHERE c.id = a.content_id
    AND c.external_id IN (SELECT content_id FROM staged_availability)
    AND NOT EXISTS (
        SELECT
        FROM staged_availability s
        WHERE s.content_id = c.external_id
            AND (s.region, s.starts_at, s.ends_at) IS NOT DISTINCT FROM (a.region, a.starts_at, a.ends_at)
    );
