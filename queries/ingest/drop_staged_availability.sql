-- Room for the next file of the same transaction.
-- utility
DROP TABLE IF EXISTS staged_availability;
