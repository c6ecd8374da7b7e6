-- The analysed query in the body of a temporary function, and what it depends on, itself and through views: relations,
-- columns, functions (those behind operators as well) and types, each a list in JSON.
WITH RECURSIVE probe AS (
    SELECT oid, prosqlbody FROM pg_proc WHERE proname = :name AND pronamespace = pg_my_temp_schema()
), needed (class, object, part) AS (
    SELECT d.refclassid, d.refobjid, d.refobjsubid
    FROM probe p
    JOIN pg_depend d ON d.objid = p.oid
    WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'n'
    UNION
    SELECT d.refclassid, d.refobjid, d.refobjsubid
    FROM needed n
    JOIN pg_rewrite r ON r.ev_class = n.object AND r.ev_type = '1'
    JOIN pg_depend d ON d.objid = r.oid
    WHERE n.class = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass AND d.deptype = 'n'
), relations AS (
    SELECT c.oid, s.nspname, c.relname, n.part
    FROM needed n
    JOIN pg_class c ON c.oid = n.object
    JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE n.class = 'pg_class'::regclass
), called AS (
    SELECT object AS oid FROM needed WHERE class = 'pg_proc'::regclass
    UNION
    SELECT o.oprcode FROM needed n JOIN pg_operator o ON o.oid = n.object WHERE n.class = 'pg_operator'::regclass
)
SELECT
    (SELECT prosqlbody::text FROM probe) AS tree,
    (SELECT jsonb_agg(DISTINCT jsonb_build_array(nspname, relname)) FROM relations) AS relations,
    (
        SELECT jsonb_agg(DISTINCT jsonb_build_array(r.nspname, r.relname, a.attname))
        FROM relations r
        JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = r.part
        WHERE r.part <> 0
    ) AS columns,
    (
        SELECT jsonb_agg(DISTINCT s.nspname || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')')
        FROM called k
        JOIN pg_proc p ON p.oid = k.oid
        JOIN pg_namespace s ON s.oid = p.pronamespace
        WHERE s.nspname <> 'pg_catalog'
    ) AS functions,
    (
        SELECT jsonb_agg(DISTINCT s.nspname || '.' || t.typname)
        FROM needed n
        JOIN pg_type t ON t.oid = n.object
        JOIN pg_namespace s ON s.oid = t.typnamespace
        WHERE n.class = 'pg_type'::regclass
    ) AS types;
