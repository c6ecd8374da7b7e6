-- Two processes that migrate take turns, a migration each, until its transaction ends; the number is the CRC-32 of
-- "mgw_migrations".
SELECT pg_advisory_xact_lock(2946827134);
