-- Who has an adapter of some name that belongs to a shared tier.
SELECT DISTINCT u.external_id
FROM lora_adapters a
JOIN users u ON u.id = a.user_id
WHERE a.base_snapshot = :base_snapshot AND a.name = :name;
