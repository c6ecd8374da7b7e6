-- Each query follows its expected columns: ! is never NULL, ? may be.

-- ! ! ?
SELECT id, title, year FROM content

-- ! ?
SELECT c.title, r.role FROM content c LEFT JOIN credits r ON r.content = c.id

-- ? !
SELECT c.title, r.role FROM content c RIGHT JOIN credits r ON r.content = c.id

-- ? ?
SELECT c.title, p.name FROM content c FULL JOIN people p ON p.id = c.id

-- ! !
SELECT c.title, r.role FROM content c JOIN credits r ON r.content = c.id

-- ! !
SELECT c.title, p.name FROM content c CROSS JOIN people p

-- ! ! !
SELECT c.title, r.role, p.name FROM content c, credits r, people p WHERE r.content = c.id AND p.id = r.person

-- ! ! ?
SELECT c.title, r.role, r.billing FROM content c LEFT JOIN credits r ON r.content = c.id WHERE r.role = 'actor'

-- ! ! !
SELECT c.title, r.role, r.billing FROM content c LEFT JOIN credits r ON r.content = c.id WHERE r.billing < 3

-- ! ?
SELECT c.title, r.role FROM content c LEFT JOIN credits r ON r.content = c.id AND r.role = 'actor'

-- ! ?
SELECT c.title, r.role FROM content c LEFT JOIN credits r ON r.content = c.id WHERE r.role IS NULL OR r.role = 'x'

-- ! ? ?
SELECT c.title, r.role, p.name
FROM content c LEFT JOIN credits r ON r.content = c.id LEFT JOIN people p ON p.id = r.person

-- ! ? ?
SELECT c.title, r.role, p.name FROM content c LEFT JOIN (credits r JOIN people p ON p.id = r.person) ON r.content = c.id

-- ! ! !
SELECT c.title, r.role, p.name
FROM content c LEFT JOIN credits r ON r.content = c.id LEFT JOIN people p ON p.id = r.person WHERE p.name LIKE 'A%'

-- ! ! !
SELECT c.title, r.role, p.name
FROM content c LEFT JOIN credits r ON r.content = c.id JOIN people p ON p.id = r.person

-- ! ! ?
SELECT c.title, r.role, p.name
FROM content c LEFT JOIN credits r ON r.content = c.id LEFT JOIN people p ON p.id = r.person WHERE r.person > 0

-- ? ? !
SELECT c.title, r.role, p.name
FROM content c LEFT JOIN credits r ON r.content = c.id RIGHT JOIN people p ON p.id = r.person

-- ? ! !
SELECT c.title, r.role, p.name
FROM content c RIGHT JOIN (credits r JOIN people p ON p.id = r.person) ON r.content = c.id

-- ! ?
SELECT c.title, p.name FROM content c FULL JOIN people p ON p.id = c.id WHERE c.id > 5

-- ! !
SELECT c.title, p.name FROM content c FULL JOIN people p ON p.id = c.id WHERE c.id + p.id > 5

-- ! ? ?
SELECT id, c.title, p.name FROM content c FULL JOIN people p USING (id)

-- ! ! ?
SELECT id, c.title, p.name FROM content c LEFT JOIN people p USING (id)

-- ! ? !
SELECT id, c.title, p.name FROM content c RIGHT JOIN people p USING (id)

-- !
SELECT id FROM content FULL JOIN people USING (id) FULL JOIN users USING (id)

-- !
SELECT coalesce(c.id, p.id) FROM content c FULL JOIN people p ON p.id = c.id

-- ?
SELECT coalesce(c.id, p.id, u.id) FROM users v LEFT JOIN (content c FULL JOIN people p ON p.id = c.id LEFT JOIN users u ON u.id = p.id) ON v.id = c.id

-- !
SELECT coalesce(c.id, p.id, v.id) FROM users v LEFT JOIN (content c FULL JOIN people p ON p.id = c.id) ON v.id = c.id

-- ?
SELECT coalesce(c.year, p.id) FROM content c FULL JOIN people p ON p.id = c.id

-- ! ?
SELECT j.id, j.name FROM (content FULL JOIN people USING (id)) AS j

-- !
SELECT j.id FROM (content JOIN people USING (id)) AS j

-- !
SELECT m.id FROM content c FULL JOIN people p USING (id) AS m

-- ! ?
SELECT c, p FROM content c LEFT JOIN people p ON p.id = c.id

-- ! !
SELECT c.title, s.films FROM content c LEFT JOIN LATERAL (SELECT count(*) AS films FROM credits WHERE person = c.id) s ON true WHERE s.films > 0

-- ! ?
SELECT c.title, s.films FROM content c LEFT JOIN LATERAL (SELECT count(*) AS films FROM credits WHERE person = c.id) s ON true

-- ! !
SELECT c.title, s.films FROM content c CROSS JOIN LATERAL (SELECT count(*) AS films FROM credits WHERE person = c.id) s

-- ! !
SELECT a.title, b.title FROM content a JOIN content b ON a.id < b.id

-- ! ?
SELECT a.title, b.title FROM content a LEFT JOIN content b ON a.id < b.id

-- ! ! ?
SELECT c.title, d.title, e.title
FROM content c LEFT JOIN (content d LEFT JOIN content e ON e.id = d.id + 1) ON d.id = c.id WHERE d.runtime > 3

-- ! ! !
SELECT c.title, d.title, e.title
FROM content c LEFT JOIN (content d LEFT JOIN content e ON e.id = d.id + 1) ON d.id = c.id WHERE e.runtime > 3

-- ! ?
SELECT c.title, y.year FROM content c LEFT JOIN content y ON y.year = c.year WHERE y.year > 2000 OR c.id > 3

-- ! !
SELECT c.year, y.year FROM content c JOIN content y ON y.year = c.year

-- ! ! ?
SELECT c.title, r.role, (r.billing) FROM content c NATURAL JOIN (SELECT content AS id, role, billing FROM credits) r

-- ! !
SELECT "The Key", o."The Key" + 1 FROM "Odd Name" o

-- ?
SELECT "a""b {(\ " FROM "Odd Name"

-- ! !
SELECT c.title, r.role FROM content c LEFT JOIN credits r ON r.content = c.id WHERE r IS NOT NULL

-- ? ? ?
SELECT c.title, p.name, u.email FROM content c FULL JOIN people p ON p.id = c.id FULL JOIN users u ON u.id = c.id

-- ! ? ?
SELECT c.title, p.name, u.email FROM content c FULL JOIN people p ON p.id = c.id FULL JOIN users u ON u.id = c.id WHERE c.title <> ''

-- ! ! !
SELECT ctid, tableoid, xmin FROM content

-- ?
SELECT r.ctid FROM content c LEFT JOIN credits r ON r.content = c.id
