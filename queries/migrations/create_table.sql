-- The record of what ran, with the checksum of the file as it was.
-- utility
CREATE TABLE mgw_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
