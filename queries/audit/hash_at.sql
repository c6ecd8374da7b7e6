-- The hash of an entry, if it is there.
SELECT hash FROM audit_logs WHERE position = :position;
