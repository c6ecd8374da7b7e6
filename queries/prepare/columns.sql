-- The columns of every relation that is not the server's own, by the numbers that a description of a query has.
SELECT
    c.oid::int8 AS relation,
    a.attnum::int4 AS number,
    c.oid::regclass::text AS relation_name,
    a.attname::text AS name,
    a.atttypid::int8 AS type
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.oid, a.attnum;
