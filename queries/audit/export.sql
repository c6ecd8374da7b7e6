-- Entries from the oldest on, as what was hashed: behind a position, up to a moment, as long as all before them are as old.
-- column hash: not null
-- column content: not null
SELECT l.position, encode(l.hash, 'hex') AS hash, audit_content(l) AS content
FROM audit_logs l
WHERE l.position > :position AND l.position <= :last
ORDER BY l.position
LIMIT :top_k;
