-- A type that is named in words, as PostgreSQL writes it; null where there is none.
SELECT to_regtype(:name)::oid::int8 AS oid, format_type(to_regtype(:name)::oid, NULL) AS name;
