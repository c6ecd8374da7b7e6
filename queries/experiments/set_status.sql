-- Move an experiment from one status to another; no row where it has another status by now.
UPDATE experiments
SET
    status = :status,
    started_at = CASE WHEN :status::text = 'running' THEN coalesce(started_at, now()) ELSE started_at END,
    ended_at = CASE WHEN :status::text = 'completed' THEN now() ELSE ended_at END
WHERE name = :name AND status = :expected_status
RETURNING id;
