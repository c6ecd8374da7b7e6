-- Tables, views and what else can stand in FROM, each followed by all that inherits from it: what keeps NULL out of
-- their columns, and what may change or redirect a row on its way in. A NOT NULL that was never checked does not count
-- (version 18 has such); nor does a CHECK that was not, or that is not enforced.
WITH RECURSIVE family (root, member) AS (
    SELECT oid, oid FROM pg_class WHERE oid = ANY (:oids::int8[]::oid[])
    UNION
    SELECT f.root, i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.member
)
SELECT
    f.root::int8 AS root,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    c.relhasrules AND c.relkind <> 'v' AS rewritten,
    EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype::int & 3 = 3) AS triggered,
    coalesce(a.columns, '[]') AS columns,
    coalesce(k.checks, '[]') AS checks
FROM family f
JOIN pg_class c ON c.oid = f.member
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(
        a.attnum,
        a.attname,
        a.attnotnull AND NOT EXISTS (
            SELECT FROM pg_constraint v
            WHERE v.conrelid = c.oid AND v.contype = 'n' AND v.conkey = ARRAY[a.attnum] AND NOT v.convalidated
        ),
        a.attgenerated <> ''
    ) ORDER BY a.attnum) AS columns
    FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
) a
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(k.conname, k.conbin::text) ORDER BY k.conname) AS checks
    FROM pg_constraint k
    WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated
        AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
) k
ORDER BY f.root, f.member <> f.root, f.member;
