-- What the corpus is about: a small media platform, with every way to keep NULL out of a column, and to seem to.
CREATE DOMAIN label AS text NOT NULL;
CREATE DOMAIN score AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('calm', 'wild');

CREATE TABLE content (
    id int PRIMARY KEY,
    title text NOT NULL,
    year int,
    mood mood,
    tags text[] NOT NULL DEFAULT '{}',
    data jsonb NOT NULL DEFAULT '{}',
    runtime int NOT NULL,
    rating numeric,
    released timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE people (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, born date);
CREATE TABLE credits (
    content int NOT NULL REFERENCES content,
    person int NOT NULL REFERENCES people,
    role text NOT NULL,
    billing int,
    PRIMARY KEY (content, person, role)
);
CREATE TABLE users (
    id int PRIMARY KEY,
    name text,
    email text CHECK (email IS NOT NULL),
    nick text CHECK (nick IS NOT NULL OR name IS NOT NULL),
    tag label,
    level score,
    shout text GENERATED ALWAYS AS (upper(name)) STORED,
    double int NOT NULL GENERATED ALWAYS AS (id * 2) STORED
);
CREATE TABLE events (
    person int NOT NULL REFERENCES users,
    content int NOT NULL,
    at timestamptz NOT NULL,
    rating int,
    completion real NOT NULL,
    device text
) PARTITION BY RANGE (at);
CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;

CREATE TABLE parent (id int NOT NULL, kept text NOT NULL, loose text);
CREATE TABLE child (extra int NOT NULL) INHERITS (parent);
ALTER TABLE child ALTER loose SET NOT NULL;

CREATE VIEW titles AS SELECT id, title, year FROM content;
CREATE VIEW cast_list AS
    SELECT c.id, c.title, p.name, r.billing
    FROM content c LEFT JOIN credits r ON r.content = c.id LEFT JOIN people p ON p.id = r.person;
CREATE VIEW dated AS SELECT id, title, year FROM content WHERE year IS NOT NULL;
CREATE VIEW numbers AS SELECT year, count(*) AS films, max(runtime) AS longest FROM content GROUP BY year;
CREATE VIEW nested AS SELECT l.id, l.name, d.year FROM cast_list l JOIN dated d USING (id);
CREATE MATERIALIZED VIEW frozen AS SELECT id, title FROM content;

CREATE FUNCTION shouted(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT upper($1) || '!' $$;
CREATE FUNCTION maybe(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT nullif($1, 0) $$;
CREATE FUNCTION pairs(OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql AS $$ SELECT 1, NULL::text $$;

CREATE TABLE ruled (id int NOT NULL, note text NOT NULL);
CREATE RULE instead AS ON INSERT TO ruled DO INSTEAD
    INSERT INTO people (name) VALUES (NEW.note) RETURNING NULL::int, NULL::text;
CREATE TABLE watched (id int NOT NULL, note text);
CREATE FUNCTION blank() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := NULL; RETURN NEW; END $$;
CREATE TRIGGER blank BEFORE INSERT OR UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION blank();
CREATE TABLE plain (id int NOT NULL, note text, other int);
CREATE TABLE "Odd Name" ("The Key" int NOT NULL, "a""b {(\ " text);
