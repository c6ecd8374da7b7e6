-- All experiments, the newest first.
SELECT id, name, status, traffic_allocation, created_at, started_at, ended_at
FROM experiments
ORDER BY created_at DESC, id DESC
LIMIT :top_k;
