-- Remove the latest adapter of a user and name that belongs to a shared tier.
DELETE FROM lora_adapters a
USING users u
WHERE u.id = a.user_id
    AND u.external_id = :user_id
    AND a.name = :name
    AND a.version = (
        SELECT max(b.version) FROM lora_adapters b
        WHERE b.user_id = u.id AND b.name = :name AND b.base_snapshot = :base_snapshot
    );
