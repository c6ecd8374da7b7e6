-- Keep a user's profile and what it was made from, in place of the one before. No as_of is NaN.
INSERT INTO user_profiles (
    user_id, snapshot, preference, genre_affinities, hours, weekdays, events_seen,
    as_of, preference_length, genre_sums, liked_sum, basis, events_stored
)
SELECT
    u.id, :snapshot, :preference, :genre_affinities, :hours, :weekdays, :events_seen,
    to_timestamp(nullif(:as_of::double precision, 'NaN')), :preference_length, :genre_sums, :liked_sum, :basis,
    (SELECT count(*) FROM viewing_events e WHERE e.user_id = u.id)
FROM users u
WHERE u.external_id = :user_id
ON CONFLICT (user_id) DO UPDATE SET
    snapshot = excluded.snapshot,
    preference = excluded.preference,
    genre_affinities = excluded.genre_affinities,
    hours = excluded.hours,
    weekdays = excluded.weekdays,
    events_seen = excluded.events_seen,
    as_of = excluded.as_of,
    preference_length = excluded.preference_length,
    genre_sums = excluded.genre_sums,
    liked_sum = excluded.liked_sum,
    basis = excluded.basis,
    events_stored = excluded.events_stored,
    updated_at = now();
