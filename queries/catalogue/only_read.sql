-- Nothing is written by what comes next, until the transaction or the block in it ends.
-- utility
SET TRANSACTION READ ONLY;
