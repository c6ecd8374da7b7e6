-- As the real table has it.
-- utility
CREATE INDEX ON pg_temp.viewing_events (content_id, at DESC NULLS LAST, user_id);
