-- Whether this connection may train everybody's adapters now: one may, until `adapters/end_training` or its end.
SELECT pg_try_advisory_lock(hashtext('mgw train lora')) AS is_free;
