-- Functions by number: their names, and how they treat NULL and repetition.
-- column arguments: not null
SELECT
    p.oid::int8 AS oid,
    n.nspname::text AS schema,
    p.proname::text AS name,
    oidvectortypes(p.proargtypes) AS arguments,
    p.proisstrict AS strict,
    p.provolatile <> 'v' AS steady
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid = ANY (:oids::int8[]::oid[]);
