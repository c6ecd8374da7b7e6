-- Room for the next batch of the same transaction.
-- utility
DROP TABLE IF EXISTS staged_events, resolved_events;
