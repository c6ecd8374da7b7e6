-- Record a migration in the transaction that applied it.
INSERT INTO mgw_migrations (number, name, checksum) VALUES (:number, :name, :checksum);
