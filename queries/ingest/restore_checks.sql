-- Triggers as usual again.
SET LOCAL session_replication_role = origin;
