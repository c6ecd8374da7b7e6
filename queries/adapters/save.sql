-- Keep an adapter under the next version of its user and name.
--
-- The user is held by `adapters/hold_user`, a statement before this one: only a statement that begins after the lock
-- is held sees the version that another writer has just committed.
INSERT INTO lora_adapters (
    user_id, name, version, base_snapshot, format_version, rank, weights, checksum, events_used, metrics
)
SELECT
    u.id,
    :name,
    coalesce((SELECT max(a.version) FROM lora_adapters a WHERE a.user_id = u.id AND a.name = :name), 0) + 1,
    :base_snapshot,
    :format_version,
    :rank,
    :weights,
    :checksum,
    :events_used,
    :metrics
FROM users u
WHERE u.external_id = :user_id
RETURNING version;
