-- ! ! ! !
SELECT row_number() OVER (), rank() OVER (ORDER BY id), dense_rank() OVER (ORDER BY id), percent_rank() OVER () FROM content

-- ? ? !
SELECT lag(title) OVER (ORDER BY id), lead(title, 2) OVER (ORDER BY id), lag(title, 1, '') OVER (ORDER BY id) FROM content

-- ? ?
SELECT lag(year, 1, 0) OVER (), lag(title, 1, NULL) OVER () FROM content

-- ?
SELECT lag(title, year, '') OVER () FROM content

-- ! ! ?
SELECT first_value(title) OVER (ORDER BY id), last_value(title) OVER (), nth_value(title, 2) OVER () FROM content

-- ?
SELECT first_value(year) OVER (ORDER BY id) FROM content

-- ! ? !
SELECT sum(runtime) OVER (), sum(year) OVER (), count(year) OVER () FROM content

-- ?
SELECT sum(runtime) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) FROM content

-- !
SELECT sum(runtime) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) FROM content

-- ?
SELECT sum(runtime) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM content

-- !
SELECT sum(runtime) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM content

-- ?
SELECT first_value(title) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) FROM content

-- ?
SELECT max(runtime) FILTER (WHERE id > 3) OVER () FROM content

-- ? !
SELECT ntile(year) OVER (), ntile(3) OVER () FROM content

-- !
SELECT sum(count(*)) OVER () FROM content GROUP BY year

-- !
SELECT max(max(runtime)) OVER () FROM content GROUP BY year

-- !
SELECT max(year) OVER () FROM content WHERE year > 3

-- ?
SELECT CASE WHEN year IS NOT NULL THEN first_value(year) OVER (ORDER BY id) ELSE 0 END FROM content

-- !
SELECT s.n FROM (SELECT row_number() OVER () AS n FROM content) s WHERE s.n = 1

-- ? !
SELECT s.b, s.year FROM (SELECT year, lag(year) OVER () AS b FROM content) s WHERE s.year > 3

-- ?
SELECT c FROM (SELECT max(year) OVER () AS c, id FROM content) s WHERE id > 3

-- !
SELECT array_agg(year) OVER () FROM content

-- !
SELECT cume_dist() OVER w FROM content WINDOW w AS (PARTITION BY year ORDER BY id)
