-- How many users have an adapter of some name that belongs to a shared tier.
SELECT count(DISTINCT a.user_id) AS users
FROM lora_adapters a
WHERE a.base_snapshot = :base_snapshot AND a.name = :name;
