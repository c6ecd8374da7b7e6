-- Fresh statistics of what is not hidden.
-- utility
ANALYZE pg_temp.viewing_events;
