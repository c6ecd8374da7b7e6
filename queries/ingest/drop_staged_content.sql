-- Room for the next file of the same transaction.
DROP TABLE IF EXISTS staged_content;
