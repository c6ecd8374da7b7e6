-- Keep a user's profile, in place of the one before.
INSERT INTO user_profiles (user_id, snapshot, preference, genre_affinities, hours, weekdays, events_seen)
SELECT u.id, :snapshot, :preference, :genre_affinities, :hours, :weekdays, :events_seen
FROM users u
WHERE u.external_id = :user_id
ON CONFLICT (user_id) DO UPDATE SET
    snapshot = excluded.snapshot,
    preference = excluded.preference,
    genre_affinities = excluded.genre_affinities,
    hours = excluded.hours,
    weekdays = excluded.weekdays,
    events_seen = excluded.events_seen,
    updated_at = now();
