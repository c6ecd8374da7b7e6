-- ! ? ! !
SELECT 1, NULL, 'a'::text, true

-- ! ? !
SELECT coalesce(year, 0), coalesce(year, rating), coalesce(year, NULL, runtime) FROM content

-- ? ?
SELECT nullif(title, ''), nullif(year, 0) FROM content

-- ! ? !
SELECT greatest(year, 0), least(year, rating), greatest(runtime, id) FROM content

-- ! ? !
SELECT CASE WHEN year > 3 THEN 'a' ELSE 'b' END, CASE WHEN year > 3 THEN 'a' END, CASE year WHEN 1 THEN 'x' ELSE title END FROM content

-- ! !
SELECT CASE WHEN year IS NOT NULL THEN year ELSE 0 END, CASE WHEN year IS NULL THEN 0 ELSE year END FROM content

-- ! ?
SELECT CASE year WHEN 1990 THEN year ELSE 0 END, CASE year WHEN 1990 THEN 0 ELSE year END FROM content

-- ! !
SELECT CASE WHEN year > 3 THEN year WHEN year IS NULL THEN 0 ELSE year END, CASE WHEN year IS NULL OR rating IS NULL THEN 0 ELSE year + rating END FROM content

-- ! ? ! ?
SELECT runtime + 1, year + 1, title || '!', title || year FROM content

-- ! ! ?
SELECT id = 3, title LIKE 'A%', year > 3 FROM content

-- ! ! ! !
SELECT year IS NULL, (year > 3) IS TRUE, year IS DISTINCT FROM 3, NOT (year IS NULL) FROM content

-- ! ?
SELECT id > 3 AND title <> '', id > 3 OR year > 3 FROM content

-- ! ! !
SELECT ARRAY[year, 1], ROW(year, 2), ARRAY(SELECT year FROM content) FROM content

-- ? ?
SELECT tags[1], tags[1:2][1] FROM content

-- ! ? ?
SELECT data || '{}', data -> 'a', data ->> 'a' FROM content

-- ! ! ?
SELECT lower(title), upper(title), upper(mood::text) FROM content

-- ? ?
SELECT lower(int4range(1, id)), upper('[1,2)'::int4range) FROM content

-- ! ?
SELECT cardinality(tags), array_length(tags, 1) FROM content

-- ! ? ?
SELECT substring(title, 1, 3), substring(title from 'a.*'), regexp_match(title, 'a') FROM content

-- ! ! ! !
SELECT now(), current_date, current_timestamp, localtime

-- ! ! ! ?
SELECT current_user, session_user, current_catalog, current_schema

-- ! ! ! !
SELECT concat(year, NULL), jsonb_build_object('a', year), num_nulls(year, rating), pg_typeof(year) FROM content

-- ! ?
SELECT concat_ws(',', year, rating), concat_ws(name, 'a', 'b') FROM content, users

-- ? !
SELECT format(name, 1), format('%s', name) FROM users

-- ? ! ?
SELECT extract(hour from released), extract(epoch from released), date_part('day', released) FROM content

-- ! ! ?
SELECT date_trunc('day', released), released::date, to_char(released, 'YYYY') FROM content

-- ! !
SELECT runtime::text, runtime::numeric FROM content

-- ? !
SELECT year::text, title::varchar(3) FROM content

-- ! ?
SELECT 'x'::label, name::label::text || NULL FROM users

-- !
SELECT name::label FROM users

-- ?
SELECT level::score FROM users

-- ! ? !
SELECT id = ANY (ARRAY[1, 2]), id = ANY (ARRAY[1, year]), id IN (1, 2, 3) FROM content

-- ? !
SELECT 'a' = ANY (tags), title = ANY ('{a,b}'::text[]) FROM content

-- ?
SELECT id = ANY ('{1,NULL}'::int[]) FROM content

-- ? !
SELECT shouted(title), length(shouted('a')) IS NULL FROM content

-- ? ?
SELECT maybe(1), maybe(id) FROM content

-- ! !
SELECT random(), gen_random_uuid()

-- ! ! !
SELECT array_append(tags, NULL), array_remove(tags, 'a'), tags || 'x'::text FROM content

-- ! ? ?
SELECT tags @> '{a}', array_position(tags, 'a'), array_to_string(tags, NULL) FROM content

-- ! ?
SELECT to_jsonb(title), to_jsonb(year) FROM content

-- ! ? ?
SELECT round(runtime / 3.0, 1), sqrt(year), year % 3 FROM content

-- ! !
SELECT title COLLATE "C", (title || 'a') COLLATE "C" FROM content

-- ! !
SELECT GREATEST(NULL, 1), COALESCE(NULL, NULL, 3)

-- ? ! ?
SELECT email IS NULL AND year > 3, runtime BETWEEN 1 AND 5, runtime BETWEEN 1 AND year FROM content, users

-- ! ?
SELECT age(released, released), released - NULL::interval FROM content

-- ! !
SELECT int4range(year, runtime), isempty(int4range(1, 2)) FROM content

-- ?
SELECT (SELECT jsonb_path_query_first('{}', '$.a'))

-- ?
SELECT current_setting('no.such', true)

-- ? !
SELECT (data ->> 'a')::int, coalesce(data ->> 'a', '') FROM content

-- ! ! !
SELECT string_to_array(title, ' '), split_part(title, ' ', 1), replace(title, 'a', 'b') FROM content

-- ?
SELECT (ROW(1, NULL::int)::text)::text || NULL

-- ! ? ?
SELECT make_date(2000, 1, 1), scale(rating), scale(3.1)
FROM content

-- ! !
-- since 16
SELECT JSON_OBJECT('a': year), JSON_ARRAY(year, NULL) FROM content

-- ? ! ?
-- since 16
SELECT JSON_ARRAYAGG(title), JSON_OBJECTAGG(title: year RETURNING text) IS NULL, JSON_OBJECTAGG(title: year) FROM content

-- ! !
-- since 16
SELECT JSON_ARRAYAGG(title), JSON_OBJECTAGG(title: year) FROM content GROUP BY mood

-- ! ?
-- since 16
SELECT title IS JSON, name IS JSON OBJECT FROM content, users

-- ?
-- since 18
SELECT JSON_VALUE(data, '$.a') FROM content

-- ? ?
SELECT concat(VARIADIC NULL::text[]), num_nulls(VARIADIC tags[1:1]::text[]) IS NULL AND NULL FROM content
