-- Sort a million events without temporary files; until the transaction ends.
-- utility
SET LOCAL work_mem = '128MB';
