-- Give an experiment another definition.
UPDATE experiments SET definition = :definition WHERE id = :experiment_id;
