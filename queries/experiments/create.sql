-- A new experiment, as a draft.
INSERT INTO experiments (name, salt, traffic_allocation, namespace, namespace_from, namespace_to, targeting)
VALUES (:name, :salt, :traffic_allocation, :namespace, :namespace_from, :namespace_to, :targeting)
RETURNING id;
