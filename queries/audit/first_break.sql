-- The first entry of a part of the chain that is not what it was, or does not follow the one before; and how far the part
-- goes. The part begins behind a position whose hash is known; what came after the last one is not looked at.
WITH part AS (
    SELECT
        l.position,
        l.hash,
        lag(l.position, 1, :position::bigint) OVER (ORDER BY l.position) AS before,
        sha256(lag(l.hash, 1, :hash::bytea) OVER (ORDER BY l.position) || convert_to(audit_content(l), 'UTF8')) AS expected
    FROM audit_logs l
    WHERE l.position > :position::bigint AND l.position <= least(:position::bigint + :size::bigint, :last::bigint)
)
SELECT
    min(p.position) FILTER (WHERE p.hash <> p.expected OR p.position <> p.before + 1) AS broken,
    count(*) AS entries,
    max(p.position) AS last
FROM part p;
