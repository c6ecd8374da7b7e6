-- Remove all but the latest versions of each user and name, and never the one in use.
DELETE FROM lora_adapters a
WHERE a.version <= (
    SELECT max(b.version) - :keep::integer FROM lora_adapters b WHERE b.user_id = a.user_id AND b.name = a.name
)
    AND a.version IS DISTINCT FROM (
        SELECT max(c.version)
        FROM lora_adapters c
        WHERE c.user_id = a.user_id AND c.name = a.name AND c.base_snapshot = :base_in_use::text
    );
