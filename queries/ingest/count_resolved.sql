-- How many different events were staged.
SELECT count(*) FROM resolved_events;
