-- All adapters of a user, the latest version of each name first: as many as are kept, which the settings say.
-- mgw: noqa[MGWQ009]
SELECT a.name, a.version, a.base_snapshot, a.rank, octet_length(a.weights) AS size_bytes, a.events_used, a.created_at
FROM lora_adapters a
JOIN users u ON u.id = a.user_id
WHERE u.external_id = :user_id
ORDER BY a.name, a.version DESC;
