-- Move an experiment to another status.
UPDATE experiments
SET
    status = :status,
    started_at = CASE WHEN :status::text = 'running' THEN coalesce(started_at, now()) ELSE started_at END,
    ended_at = CASE WHEN :status::text = 'completed' THEN now() ELSE ended_at END
WHERE id = :experiment_id;
