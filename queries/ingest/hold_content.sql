-- Nobody deletes these titles before the transaction ends: what a foreign key would do for each of their events.
-- needs: ingest/stage_events
SELECT count(*) AS held
FROM (
    SELECT FROM content WHERE external_id IN (SELECT content_id FROM staged_events) FOR KEY SHARE
) AS held;
