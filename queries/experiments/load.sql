-- An experiment.
SELECT id, name, status, definition, created_at, started_at, ended_at
FROM experiments
WHERE name = :name;
