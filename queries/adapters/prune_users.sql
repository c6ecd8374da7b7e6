-- Remove all but the latest versions of the adapters of some users.
DELETE FROM lora_adapters a
USING users u
WHERE u.id = a.user_id
    AND u.external_id = ANY(:user_ids::text[])
    AND a.version <= (
        SELECT max(b.version) - :keep::integer FROM lora_adapters b WHERE b.user_id = a.user_id AND b.name = a.name
    );
