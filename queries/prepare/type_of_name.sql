-- The type that a name in a header means; null where there is none.
SELECT to_regtype(:name)::oid::int8 AS oid;
