-- For how long a statement of this transaction waits for a table that others use: whoever comes after it waits as well.
SELECT set_config('lock_timeout', :timeout, true);
