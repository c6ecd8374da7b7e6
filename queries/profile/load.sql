-- The profile of a user, if there is one for the snapshot in use.
SELECT p.preference, p.genre_affinities, p.hours, p.weekdays, p.events_seen, p.updated_at
FROM user_profiles p
JOIN users u ON u.id = p.user_id
WHERE u.external_id = :user_id AND p.snapshot = :snapshot;
