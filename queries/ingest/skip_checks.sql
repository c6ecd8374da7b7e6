-- No triggers, foreign keys among them, for the next statement.
-- utility
SET LOCAL session_replication_role = replica;
