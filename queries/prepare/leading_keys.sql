-- What each index is ordered by first, as text; empty for one that any of its keys serves.
-- column key: not null
SELECT c.relname::text AS name, CASE WHEN m.amname IN ('btree', 'hash') THEN pg_get_indexdef(c.oid, 1, true) ELSE '' END AS key
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid >= 16384;
