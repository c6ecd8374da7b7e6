-- The unique keys of tables: valid ones without a condition, over plain columns under the columns' own collations, and
-- held in the whole table: not where others inherit from it. With the operators that are equality for each column.
-- column equalities: elements not null
SELECT
    i.indrelid::int8 AS relation,
    i.indexrelid::int8 AS index,
    k.number::int4 AS column,
    (
        SELECT array_agg(o.amopopr::int8 ORDER BY o.amopopr)
        FROM pg_amop o
        WHERE o.amopfamily = c.opcfamily AND o.amopstrategy = 3
    ) AS equalities
FROM pg_index i
JOIN pg_class r ON r.oid = i.indrelid
CROSS JOIN LATERAL unnest(i.indkey, i.indclass, i.indcollation) WITH ORDINALITY AS k (number, class, coll, at)
JOIN pg_opclass c ON c.oid = k.class
JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
WHERE i.indrelid >= 16384
    AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
    AND k.at <= i.indnkeyatts
    AND k.coll = a.attcollation
    AND (
        r.relkind = 'p'
        OR NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = r.oid)
    )
    AND NOT EXISTS (
        SELECT FROM unnest(i.indkey, i.indcollation) WITH ORDINALITY AS o (number, coll, at)
        LEFT JOIN pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = o.number AND o.number > 0
        WHERE o.at <= i.indnkeyatts AND o.coll IS DISTINCT FROM b.attcollation
    )
ORDER BY relation, index, k.at;
