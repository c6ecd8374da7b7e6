-- Tables in which an INSERT of one row always gives one: no trigger, rule or partition that could swallow it.
SELECT c.oid::int8 AS relation
FROM pg_class c
WHERE c.oid >= 16384
    AND c.relkind = 'r'
    AND NOT c.relhasrules
    AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal);
