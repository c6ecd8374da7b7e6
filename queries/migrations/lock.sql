-- Two processes that migrate take turns; the number is the CRC-32 of "mgw_migrations".
SELECT pg_advisory_lock(2946827134);
