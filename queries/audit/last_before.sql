-- The last entry of those that may be purged: older than a moment, as are all before it.
SELECT coalesce(
    (SELECT min(l.position) - 1 FROM audit_logs l WHERE l.at >= :before::timestamptz),
    (SELECT e.position FROM audit_ends e)
) AS last;
