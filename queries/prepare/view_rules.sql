-- The analysed queries of views.
SELECT ev_class::int8 AS oid, ev_action::text AS action
FROM pg_rewrite
WHERE ev_class = ANY (:oids::int8[]::oid[]) AND ev_type = '1';
