-- Settings of the planner, for this transaction or for the session.
SELECT set_config(s.name, s.value, :local) FROM unnest(:names::text[], :values::text[]) AS s (name, value);
