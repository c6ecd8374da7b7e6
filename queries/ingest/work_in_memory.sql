-- Sort a million events without temporary files; until the transaction ends.
SET LOCAL work_mem = '128MB';
