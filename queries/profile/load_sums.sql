-- What the profile of a user was made from, if nothing but what is added now has changed since: neither the snapshot, nor
-- the settings that weigh events, nor how many events there are.
-- column as_of: not null
-- column preference: elements not null
-- column genre_sums: elements not null
-- column hours: elements not null
-- column weekdays: elements not null
SELECT
    extract(epoch FROM p.as_of)::double precision AS as_of,
    p.preference,
    p.preference_length,
    p.genre_sums,
    p.liked_sum,
    p.hours,
    p.weekdays,
    p.events_seen
FROM user_profiles p
JOIN users u ON u.id = p.user_id
WHERE u.external_id = :user_id
    AND p.snapshot = :snapshot
    AND p.basis = :basis
    AND p.as_of IS NOT NULL
    AND p.events_stored = (SELECT count(*) FROM viewing_events e WHERE e.user_id = p.user_id);
