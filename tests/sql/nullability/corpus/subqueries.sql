-- ?
SELECT (SELECT title FROM content WHERE id = 3)

-- !
SELECT (SELECT count(*) FROM content)

-- ? ?
SELECT (SELECT max(title) FROM content), (SELECT sum(runtime) FROM content)

-- !
SELECT (SELECT coalesce(max(title), '') FROM content)

-- ?
SELECT (SELECT count(*) FROM content HAVING count(*) > 3)

-- ?
SELECT (SELECT count(*) FROM content GROUP BY year LIMIT 1)

-- ?
SELECT (SELECT count(*) FROM content OFFSET 1)

-- ?
SELECT (SELECT count(*) FROM content LIMIT 0)

-- !
SELECT (SELECT count(*) FROM content LIMIT 1)

-- !
SELECT (SELECT c.title) FROM content c

-- ?
SELECT (SELECT c.title WHERE c.id > 3) FROM content c

-- ?
SELECT (SELECT c.year) FROM content c

-- !
SELECT (SELECT c.year) FROM content c WHERE c.year > 3

-- ! !
SELECT EXISTS (SELECT FROM content), NOT EXISTS (SELECT FROM content)

-- ! ?
SELECT id IN (SELECT id FROM people), year IN (SELECT id FROM people) FROM content

-- ? !
SELECT id NOT IN (SELECT billing FROM credits), id NOT IN (SELECT person FROM credits) FROM content

-- ! ?
SELECT id > ALL (SELECT id FROM people), id > ALL (SELECT billing FROM credits) FROM content

-- ! !
SELECT s.a, s.b FROM (SELECT id AS a, title AS b FROM content) s

-- ! ?
SELECT * FROM (SELECT count(*) AS n, max(year) AS m FROM content) s

-- ! ?
SELECT s.* FROM content c JOIN (SELECT content, billing FROM credits) s ON s.content = c.id

-- ! ! ?
SELECT c.title, s.role, s.name FROM content c JOIN LATERAL (SELECT r.role, u.name FROM credits r LEFT JOIN users u ON u.id = r.person WHERE r.content = c.id) s ON true

-- ! ?
SELECT * FROM (VALUES (1, 'a'), (2, NULL)) v(a, b)

-- ! !
VALUES (1, 'a'), (2, 'b')

-- ? !
VALUES (NULL, 1), (2, 3)

-- ! !
SELECT (SELECT v.a FROM (VALUES (1)) v(a)), (SELECT 1 UNION SELECT 1)

-- ! ?
SELECT ARRAY(SELECT name FROM users), (ARRAY(SELECT id FROM users))[1]

-- ?
SELECT (SELECT (SELECT c.year) FROM people LIMIT 1) FROM content c

-- !
SELECT (SELECT (SELECT c.title)) FROM content c

-- ! ?
SELECT a, b FROM (SELECT 1 AS a) x CROSS JOIN (SELECT NULL::int AS b) y

-- ?
SELECT (SELECT r.role FROM credits r WHERE r.content = c.id LIMIT 1) FROM content c

-- !
SELECT (SELECT bool_or(r.billing > 3) FROM credits r) IS TRUE

-- ! !
SELECT id, (id, title) IN (SELECT id, name FROM people) FROM content
