-- A type by its number, as PostgreSQL writes it.
-- returns: optional
SELECT oid::int8 AS oid, format_type(oid, NULL) AS name FROM pg_type WHERE oid = :oid::int8::oid;
