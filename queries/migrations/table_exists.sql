-- Whether any migration has ever run on this database. Not to_regclass(), which within a transaction may answer from
-- before another process made the table.
SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'mgw_migrations' AND pg_table_is_visible(oid)) AS is_there;
