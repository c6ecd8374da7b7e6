-- Let this transaction take no more out.
SELECT set_config('mgw.audit_retention', 'off', true);
