-- Let others train everybody's adapters.
SELECT pg_advisory_unlock(hashtext('mgw train lora')) AS was_held;
