-- Every type that a value can have: what it is called, what kind it is, and what it is made of. Arrays have an element,
-- domains a base, ranges a subtype, enums labels, and composite types attributes.
-- column name: not null
-- column labels: elements not null
SELECT
    t.oid::int8 AS oid,
    format_type(t.oid, NULL) AS name,
    CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN 'A' ELSE t.typtype::text END AS kind,
    CASE
        WHEN t.typtype = 'd' THEN t.typbasetype::int8
        WHEN t.typtype = 'r' THEN r.rngsubtype::int8
        WHEN t.typtype = 'm' THEN m.rngsubtype::int8
        ELSE t.typelem::int8
    END AS of_type,
    (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
    t.typrelid::int8 AS relation
FROM pg_type t
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_range m ON m.rngmultitypid = t.oid;
