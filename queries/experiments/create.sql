-- A new experiment as a draft; no row where there is one of this name.
INSERT INTO experiments (name, definition) VALUES (:name, :definition)
ON CONFLICT (name) DO NOTHING
RETURNING id;
