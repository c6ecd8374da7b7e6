-- ! ?
SELECT id, title FROM content UNION SELECT id, name FROM users

-- ! !
SELECT id, title FROM content UNION ALL SELECT id, name FROM people

-- ! ?
SELECT id, year FROM content INTERSECT SELECT id, level FROM users

-- ! !
SELECT id, year FROM content INTERSECT SELECT id, id FROM people

-- ! !
SELECT id, title FROM content EXCEPT SELECT id, name FROM users

-- ?
SELECT year FROM content EXCEPT SELECT id FROM users

-- ?
(SELECT id FROM content UNION SELECT year FROM content) EXCEPT SELECT 1

-- !
(SELECT id FROM content UNION SELECT year FROM content) INTERSECT SELECT id FROM people

-- ?
SELECT 1 UNION SELECT NULL

-- ! ?
SELECT * FROM (SELECT 1 AS a, 2 AS b UNION ALL SELECT 3, NULL) s

-- !
SELECT id::bigint FROM content UNION SELECT 3.5

-- !
SELECT id FROM content UNION SELECT id FROM people UNION SELECT id FROM users ORDER BY 1 LIMIT 3

-- ! ?
WITH a AS (SELECT id, title FROM content), b AS (SELECT * FROM a UNION SELECT id, name FROM users) SELECT * FROM b

-- ! !
WITH a AS MATERIALIZED (SELECT id, count(*) AS n FROM content GROUP BY id) SELECT * FROM a

-- ! ?
WITH a AS (SELECT id FROM content) SELECT x.id, y.id FROM a x LEFT JOIN a y ON y.id = x.id + 1

-- !
WITH a AS (SELECT year FROM content) SELECT year FROM a WHERE year > 3

-- ?
WITH a AS (SELECT year FROM content) SELECT x.year FROM a x, a y WHERE y.year > 3

-- !
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r

-- ! ?
WITH RECURSIVE r(n, m) AS (SELECT 1, 'a' UNION ALL SELECT n + 1, nullif(m, 'a') FROM r WHERE n < 5) SELECT * FROM r

-- ! ! ?
WITH RECURSIVE r(a, b, c) AS (SELECT 1, 2, NULL::int UNION ALL SELECT b, c, a FROM r WHERE b > 0 AND c > 0) SELECT * FROM r

-- ? ? ?
WITH RECURSIVE r(a, b, c) AS (SELECT 1, 2, NULL::int UNION ALL SELECT b, c, a FROM r) SELECT * FROM r

-- ? ?
WITH RECURSIVE r(a, b) AS (SELECT 1, 2 UNION SELECT b, nullif(a, 3) FROM r) SELECT * FROM r

-- ! ! !
WITH RECURSIVE r(id, up) AS (SELECT id, runtime FROM content UNION ALL SELECT c.id, r.up FROM r JOIN content c ON c.year = r.id) SEARCH DEPTH FIRST BY id SET place SELECT id, up, place IS NULL FROM r

-- !
WITH RECURSIVE r(id) AS (SELECT id FROM content UNION ALL SELECT c.id FROM r JOIN content c ON c.year = r.id) CYCLE id SET loops USING path SELECT path FROM r

-- ! ?
WITH d AS (DELETE FROM content WHERE id = 3 RETURNING id, year) SELECT * FROM d

-- !
WITH i AS (INSERT INTO people (name) VALUES ('x') RETURNING id) SELECT id FROM i

-- ? !
WITH c AS (SELECT 1 AS id) SELECT u.name, (SELECT count(*) FROM c WHERE c.id = u.id) FROM users u

-- ! ?
SELECT c.title, s.n FROM content c, LATERAL (SELECT c.year AS n UNION SELECT c.id) s
