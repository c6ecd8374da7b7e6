-- How many different events were staged.
-- needs: ingest/stage_events, ingest/resolve_events
SELECT count(*) AS events FROM resolved_events;
