-- Sum up a million users without temporary files; until the transaction ends.
-- utility
SET LOCAL work_mem = '256MB';
