-- ! ? ?
SELECT count(*), max(runtime), sum(runtime) FROM content

-- ? ! !
SELECT year, count(*), max(runtime) FROM content GROUP BY year

-- ? ? !
SELECT year, max(rating), count(rating) FROM content GROUP BY year

-- ! ! ! !
SELECT min(title), avg(runtime), array_agg(year), string_agg(title, ',') FROM content GROUP BY mood

-- ? ! !
SELECT bool_and(year > 3), bool_or(runtime > 3), json_agg(year) FROM content GROUP BY mood

-- ? ?
SELECT array_agg(title), string_agg(title, ',') FROM content

-- ?
SELECT max(runtime) FILTER (WHERE id > 3) FROM content GROUP BY year

-- !
SELECT count(*) FILTER (WHERE id > 3) FROM content

-- ? ! !
SELECT stddev_samp(runtime), stddev_pop(runtime), count(DISTINCT year) FROM content GROUP BY mood

-- ? ?
SELECT year, title FROM content GROUP BY ROLLUP (year, title)

-- ! ? !
SELECT id, title, count(*) FROM content GROUP BY id, ROLLUP (title)

-- ? ? !
SELECT id, title, count(*) FROM content GROUP BY CUBE (id, title)

-- ? ? !
SELECT id, title, GROUPING(id) FROM content GROUP BY GROUPING SETS ((id), (title))

-- ! ? !
SELECT id, title, max(runtime) FROM content GROUP BY GROUPING SETS ((id), (id, title))

-- ? ?
SELECT id, max(runtime) FROM content GROUP BY GROUPING SETS ((id), ())

-- ? !
SELECT id + 1, coalesce(id, 0) FROM content GROUP BY ROLLUP (id)

-- ?
SELECT lower(title) FROM content GROUP BY ROLLUP (lower(title))

-- ! !
SELECT lower(title), count(*) FROM content GROUP BY lower(title)

-- ?
SELECT CASE WHEN id > 3 THEN 'a' ELSE 'b' END FROM content GROUP BY ROLLUP (CASE WHEN id > 3 THEN 'a' ELSE 'b' END)

-- ? ?
SELECT id, sum(id) FROM content GROUP BY ROLLUP (id)

-- !
SELECT id FROM content GROUP BY ROLLUP (id) HAVING id IS NOT NULL

-- !
SELECT c.title FROM content c GROUP BY c.id

-- ! ?
SELECT c.title, r.role FROM content c LEFT JOIN credits r ON r.content = c.id GROUP BY c.title, r.role

-- ! ?
SELECT c.title, max(r.role) FROM content c LEFT JOIN credits r ON r.content = c.id GROUP BY c.title

-- ! !
SELECT c.title, count(r.role) FROM content c LEFT JOIN credits r ON r.content = c.id GROUP BY c.title

-- ! !
SELECT year, max(rating) FROM content WHERE year > 3 AND rating > 3 GROUP BY year

-- ?
SELECT max(rating) FROM content WHERE rating > 3

-- !
SELECT 1 FROM content HAVING true

-- ! ?
SELECT DISTINCT title, year FROM content

-- ! ?
SELECT DISTINCT ON (title) title, year FROM content

-- ! ! !
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY runtime), mode() WITHIN GROUP (ORDER BY title), rank(3) WITHIN GROUP (ORDER BY year) FROM content GROUP BY mood

-- ?
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY runtime) FROM content

-- ?
-- parameters: float8
SELECT percentile_disc($1) WITHIN GROUP (ORDER BY runtime) FROM content GROUP BY mood

-- ! !
SELECT count(*) + 1, coalesce(sum(runtime), 0) FROM content

-- ?
SELECT corr(runtime, id) FROM content GROUP BY mood

-- ?
SELECT (SELECT count(*) FROM people p WHERE p.id = c.id) + max(c.year) FROM content c GROUP BY c.id

-- !
SELECT (SELECT count(*) FROM people p WHERE p.id = c.id) FROM content c GROUP BY c.id

-- ?
SELECT (SELECT c.id) FROM content c GROUP BY ROLLUP (c.id)

-- ?
-- parameters: int
SELECT $1 FROM content WHERE id = $1 GROUP BY ()

-- !
-- parameters: int
SELECT $1 FROM content WHERE id = $1 GROUP BY id
