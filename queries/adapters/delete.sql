-- Remove every adapter of a user.
DELETE FROM lora_adapters a
USING users u
WHERE u.id = a.user_id AND u.external_id = :user_id;
