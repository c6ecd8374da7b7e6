-- Nobody deletes these users before the transaction ends: what a foreign key would do for each of their events.
-- needs: ingest/stage_events
SELECT count(*) AS held
FROM (
    SELECT FROM users WHERE external_id IN (SELECT user_id FROM staged_events) FOR KEY SHARE
) AS held;
