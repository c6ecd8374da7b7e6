-- Whether this transaction may look at all running experiments for harm: one may at a time, and it may take a while.
SELECT pg_try_advisory_xact_lock(hashtext('mgw experiment guard')) AS is_free
FROM set_config('statement_timeout', (:timeout_s::integer * 1000)::text, true);
