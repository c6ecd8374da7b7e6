-- As the real table has it.
-- utility
CREATE INDEX ON pg_temp.viewing_events (user_id, at DESC NULLS LAST, content_id);
