-- All experiments, the newest first, with the users exposed to each; archived ones if they are asked for.
SELECT e.id, e.name, e.status, e.definition, e.created_at, e.started_at, e.ended_at, counted.users
FROM experiments e
CROSS JOIN LATERAL (
    SELECT count(*) AS users FROM experiment_assignments a WHERE a.experiment_id = e.id
) AS counted
WHERE :with_archived OR e.status <> 'archived'
ORDER BY e.created_at DESC, e.id DESC
LIMIT :top_k;
