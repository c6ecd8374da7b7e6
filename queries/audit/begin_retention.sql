-- Let this transaction take entries out.
SELECT set_config('mgw.audit_retention', 'on', true);
