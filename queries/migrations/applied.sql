-- The migrations that ran, in order.
SELECT number, name, checksum, applied_at FROM mgw_migrations ORDER BY number;
