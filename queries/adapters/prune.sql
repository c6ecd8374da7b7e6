-- Remove all but the latest versions of each user and name.
DELETE FROM lora_adapters a
WHERE a.version <= (
    SELECT max(b.version) - :keep::integer FROM lora_adapters b WHERE b.user_id = a.user_id AND b.name = a.name
);
