-- ! ! ?
SELECT * FROM titles

-- ! ! ? ?
SELECT * FROM cast_list

-- ! ! !
SELECT * FROM dated

-- ? ! !
SELECT * FROM numbers

-- ! ? !
SELECT * FROM nested

-- A foreign key is no proof: it may be deferred, or its triggers off.
-- ! ?
SELECT id, name FROM cast_list WHERE billing > 3

-- ! ?
SELECT c.id, d.year FROM content c LEFT JOIN dated d ON d.id = c.id

-- ? ?
SELECT * FROM frozen

-- ! ! ?
SELECT id, kept, loose FROM parent

-- ! ! ! !
SELECT id, kept, loose, extra FROM child

-- ?
SELECT loose FROM ONLY parent

-- ! ! ! ? ! ?
SELECT person, content, at, rating, completion, device FROM events

-- ! ?
SELECT person, rating FROM events_2020

-- ? ! ? ? ? ? !
SELECT name, email, nick, tag, level, shout, double FROM users

-- ! !
SELECT * FROM generate_series(1, 3) WITH ORDINALITY

-- !
SELECT generate_series(1, year) FROM content

-- ? ?
SELECT generate_series(1, 3), unnest(tags) FROM content

-- ? !
SELECT * FROM unnest(ARRAY['a', NULL]) WITH ORDINALITY

-- ? ? !
SELECT * FROM ROWS FROM (generate_series(1, 3), generate_series(1, 5)) WITH ORDINALITY

-- ! !
SELECT k, v FROM content, jsonb_each(data) e(k, v)

-- ! ?
SELECT k, v FROM content, jsonb_each_text(data) e(k, v)

-- ! !
SELECT key, ordinality FROM content, jsonb_object_keys(data) WITH ORDINALITY e(key)

-- ? ?
SELECT a, b FROM pairs()

-- !
SELECT now FROM now()

-- ?
SELECT x FROM regexp_match('a', 'b') x

-- ! !
SELECT relname, relkind FROM pg_class

-- ? ?
SELECT a, b FROM jsonb_to_record('{}') AS r(a int, b text)

-- ! ?
-- needs xml
SELECT * FROM XMLTABLE('//a' PASSING ('<a/>'::xml) COLUMNS n FOR ORDINALITY, x text PATH '@x')

-- ! !
SELECT c.title, t.tag FROM content c CROSS JOIN LATERAL unnest(c.tags) AS t(tag) WHERE t.tag <> ''

-- ! ?
SELECT c.title, t.tag FROM content c LEFT JOIN LATERAL unnest(c.tags) AS t(tag) ON true

-- ! !
SELECT last_value, is_called FROM people_id_seq

-- ?
SELECT (pairs()).a

-- ! ?
SELECT u.id, (u).name FROM users u

-- ! !
SELECT TABLESAMPLED.id, TABLESAMPLED.title FROM content AS TABLESAMPLED TABLESAMPLE system (10)
