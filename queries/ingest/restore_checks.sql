-- Triggers as usual again.
-- utility
SET LOCAL session_replication_role = origin;
