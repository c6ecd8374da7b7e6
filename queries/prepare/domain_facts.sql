-- Domains by number: whether they, or domains that they are made from, are NOT NULL.
-- column name: not null
-- column not_null: not null
WITH RECURSIVE bases (domain, base, not_null) AS (
    SELECT oid, typbasetype, typnotnull FROM pg_type WHERE oid = ANY (:oids::int8[]::oid[]) AND typtype = 'd'
    UNION ALL
    SELECT b.domain, t.typbasetype, t.typnotnull FROM bases b JOIN pg_type t ON t.oid = b.base AND t.typtype = 'd'
)
SELECT domain::int8 AS oid, format_type(domain, NULL) AS name, bool_or(not_null) AS not_null
FROM bases
GROUP BY domain;
