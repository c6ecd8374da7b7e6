-- ! !
SELECT year, rating FROM content WHERE year IS NOT NULL AND rating > 3

-- ? ?
SELECT year, rating FROM content WHERE year IS NOT NULL OR rating > 3

-- !
SELECT year FROM content WHERE year > 1990 OR year = 1950

-- !
SELECT year FROM content WHERE year IN (1990, 2000)

-- !
SELECT year FROM content WHERE year NOT IN (1990, 2000)

-- !
-- parameters: int[]
SELECT year FROM content WHERE year = ANY ($1)

-- ?
-- parameters: int[]
SELECT year FROM content WHERE year <> ALL ($1)

-- !
-- parameters: int
SELECT year FROM content WHERE year = $1

-- !
-- parameters: int
SELECT $1 FROM content WHERE year = $1

-- ?
-- parameters: int
SELECT $1 FROM content

-- ?
-- parameters: int
SELECT year FROM content WHERE $1 IS NULL OR year = $1

-- !
SELECT year FROM content WHERE year BETWEEN 1990 AND 2000

-- !
SELECT year FROM content WHERE NOT (year IS NULL)

-- ?
SELECT year FROM content WHERE year IS NULL

-- !
SELECT year FROM content WHERE (year > 3) IS TRUE

-- ?
SELECT year FROM content WHERE (year > 3) IS NOT TRUE

-- !
SELECT year FROM content WHERE (year > 3) IS NOT UNKNOWN

-- !
SELECT year FROM content WHERE coalesce(year > 3, false)

-- ?
SELECT year FROM content WHERE coalesce(year > 3, true)

-- !
SELECT year FROM content WHERE year IS DISTINCT FROM NULL

-- !
SELECT year FROM content WHERE year IS NOT DISTINCT FROM 1990

-- ?
SELECT year FROM content WHERE year IS DISTINCT FROM 1990

-- !
SELECT year FROM content WHERE year IN (SELECT born_year FROM (VALUES (1), (NULL)) v(born_year))

-- ?
SELECT year FROM content WHERE year NOT IN (SELECT id FROM people)

-- ?
SELECT year FROM content c WHERE EXISTS (SELECT FROM people p WHERE p.id = c.year)

-- !
SELECT data ->> 'title' FROM content WHERE data ->> 'title' IS NOT NULL

-- ?
SELECT data ->> 'title' FROM content WHERE data ->> 'name' IS NOT NULL

-- ! !
SELECT u.name, length(u.name) FROM users u WHERE u.name LIKE 'A%'

-- !
SELECT u.name FROM users u WHERE shouted(u.name) = 'X!'

-- ?
SELECT u.level FROM users u WHERE maybe(u.level) > 3

-- ! !
SELECT name, nick FROM users WHERE ROW(name, nick) IS NOT NULL

-- ? ?
SELECT name, nick FROM users WHERE NOT (ROW(name, nick) IS NULL)

-- !
SELECT name FROM users WHERE length(name) > 3 AND true

-- !
SELECT s.year FROM (SELECT year FROM content) s WHERE s.year > 3

-- ! !
SELECT s.name, s.role FROM (SELECT p.name, r.role FROM people p LEFT JOIN credits r ON r.person = p.id) s WHERE s.role <> ''

-- ! !
SELECT s.billing, s.role FROM (SELECT r.billing, r.role FROM people p LEFT JOIN credits r ON r.person = p.id) s WHERE s.billing > 1

-- !
SELECT billing FROM credits WHERE (billing, person) = (1, 2)

-- ?
SELECT billing FROM credits WHERE (billing, person) < (1, 2)

-- !
SELECT max(billing) FROM credits HAVING max(billing) > 3

-- !
SELECT billing FROM credits GROUP BY billing HAVING billing > 3

-- !
SELECT mood FROM content WHERE mood = 'calm'

-- !
SELECT rating::int FROM content WHERE rating IS NOT NULL

-- ?
SELECT year FROM content WHERE CASE WHEN year > 3 THEN true ELSE true END

-- !
SELECT tags[1] FROM content WHERE tags[1] = 'a'
