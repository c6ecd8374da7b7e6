-- Take out the entries up to a position, and keep where the chain begins now.
WITH purged AS (
    DELETE FROM audit_logs WHERE position <= :last RETURNING position, hash
),
kept AS (
    UPDATE audit_ends e SET purged_position = p.position, purged_hash = p.hash
    FROM (SELECT position, hash FROM purged ORDER BY position DESC LIMIT 1) AS p
)
SELECT count(*) AS entries FROM purged;
