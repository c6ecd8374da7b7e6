-- The databases that were made to describe queries on, to find those that a killed process left.
SELECT datname::text AS name FROM pg_database WHERE datname ~ :pattern;
