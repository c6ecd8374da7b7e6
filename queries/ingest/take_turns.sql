-- Imports merge one after the other: at once they could wait for each other's rows in a circle.
SELECT pg_advisory_xact_lock(hashtextextended('mgw import', 0));
