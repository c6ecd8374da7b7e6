-- How many users have an adapter of some name that belongs to a shared tier and is not zero.
--
-- The numbers stand behind a header of 10 bytes (mgw/recommend/lora/payload.py).
SELECT count(DISTINCT a.user_id) AS users
FROM lora_adapters a
WHERE a.base_snapshot = :base_snapshot AND a.name = :name AND btrim(substr(a.weights, 11), '\x00') <> '';
