-- An experiment, held until the transaction ends, so that nobody else changes it meanwhile.
SELECT id, name, status, definition, created_at, started_at, ended_at
FROM experiments
WHERE name = :name
FOR UPDATE;
