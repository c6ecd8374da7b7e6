-- The latest adapter of a user and name for a base snapshot.
-- pipelined
SELECT a.version, a.format_version, a.rank, a.weights, a.checksum, a.events_used, a.metrics, a.created_at
FROM lora_adapters a
JOIN users u ON u.id = a.user_id
WHERE u.external_id = :user_id AND a.name = :name AND a.base_snapshot = :base_snapshot
ORDER BY a.version DESC
LIMIT 1;
