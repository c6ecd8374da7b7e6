-- The variant of each of some users in an experiment, by position from 0 on; those who take no part are left out.
--
-- The same as `mgw.experiments.assignment`: FNV-1a of salt and id, hashed again as decimal digits, in 10,000 buckets;
-- the namespace in 1,000, hashed once; the holdout as the salt, in a hash of its own. `ascii` gives the code point of a character.
-- column position: not null
-- For analysts, who have a database and no Python; a test holds the two against each other.
-- mgw: noqa[MGWQ001]
WITH RECURSIVE texts AS (
    SELECT given.user_id, 1 AS kind, :salt::text || given.user_id AS text
    FROM unnest(:user_ids::text[]) AS given (user_id)
    UNION ALL
    SELECT given.user_id, 2, given.user_id || '__' || :namespace::text
    FROM unnest(:user_ids::text[]) AS given (user_id)
    WHERE :namespace::text IS NOT NULL
    UNION ALL
    SELECT given.user_id, 3, :holdout::text || given.user_id
    FROM unnest(:user_ids::text[]) AS given (user_id)
    WHERE :holdout::text IS NOT NULL
),
hashing AS (
    SELECT t.user_id, t.kind, t.text, 0 AS done, 2166136261::bigint AS hash FROM texts t
    UNION ALL
    SELECT
        h.user_id, h.kind, h.text, h.done + 1,
        ((h.hash # ascii(substr(h.text, h.done + 1, 1))::bigint) * 16777619) & 4294967295
    FROM hashing h
    WHERE h.done < length(h.text)
),
hashed AS (
    SELECT h.user_id, h.kind, h.hash FROM hashing h WHERE h.done = length(h.text)
),
again AS (
    SELECT h.user_id, h.kind, h.hash::text AS text, 0 AS done, 2166136261::bigint AS hash
    FROM hashed h
    WHERE h.kind IN (1, 3)
    UNION ALL
    SELECT
        a.user_id, a.kind, a.text, a.done + 1,
        ((a.hash # ascii(substr(a.text, a.done + 1, 1))::bigint) * 16777619) & 4294967295
    FROM again a
    WHERE a.done < length(a.text)
)
SELECT a.user_id, r.position::integer - 1 AS position
FROM again a
JOIN unnest(:starts::double precision[], :ends::double precision[]) WITH ORDINALITY AS r (from_place, to_place, position)
    ON (a.hash % 10000) / 10000::double precision >= r.from_place
    AND (a.hash % 10000) / 10000::double precision < r.to_place
WHERE a.kind = 1
    AND a.done = length(a.text)
    AND NOT EXISTS (
        SELECT FROM again o
        WHERE o.kind = 3
            AND o.user_id = a.user_id
            AND o.done = length(o.text)
            AND (o.hash % 10000) / 10000::double precision < :holdout_share::double precision
    )
    AND NOT EXISTS (
        SELECT FROM hashed n
        WHERE n.kind = 2
            AND n.user_id = a.user_id
            AND NOT (
                (n.hash % 1000) / 1000::double precision >= :namespace_from::double precision
                AND (n.hash % 1000) / 1000::double precision < :namespace_to::double precision
            )
    );
