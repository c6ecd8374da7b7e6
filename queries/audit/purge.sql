-- Remove what is older than the retention.
DELETE FROM audit_logs WHERE at < :before::timestamptz;
