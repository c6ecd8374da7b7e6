-- Whether any migration has ever run on this database.
SELECT to_regclass('mgw_migrations') IS NOT NULL;
