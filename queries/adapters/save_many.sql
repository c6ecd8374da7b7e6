-- Keep adapters of several users, each under the next version of its user and name, and return how many there are.
--
-- The users are held by `adapters/hold_users`, a statement before this one: only a statement that begins after the locks
-- are held sees the versions that another writer has just committed.
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
    given.weights,
    given.checksum,
    given.events_used,
    jsonb_build_object('gain', given.gain, 'error', given.error)
FROM unnest(
    :user_ids::text[],
    :weights::bytea[],
    :checksums::bytea[],
    :events_used::integer[],
    :gains::double precision[],
    :errors::double precision[]
) AS given (user_id, weights, checksum, events_used, gain, error)
JOIN users u ON u.external_id = given.user_id;
