-- ! ! ?
INSERT INTO content (id, title, runtime) VALUES (1, 'a', 3) RETURNING id, title, year

-- ! ?
-- parameters: int, text
INSERT INTO plain (id, note) VALUES ($1, $2) RETURNING id, note

-- ! !
INSERT INTO plain (id, note) VALUES (1, 'x') RETURNING id, note

-- ?
INSERT INTO plain (id, note) VALUES (1, 'x'), (2, NULL) RETURNING note

-- !
INSERT INTO plain (id, note) SELECT id, title FROM content RETURNING note

-- ! ?
INSERT INTO watched (id, note) VALUES (1, 'x') RETURNING id, note

-- ! !
INSERT INTO people (name) VALUES ('x') RETURNING id, name

-- ! ?
INSERT INTO credits VALUES (1, 2, 'x', 3) ON CONFLICT (content, person, role) DO UPDATE SET billing = NULL RETURNING role, billing

-- !
INSERT INTO credits VALUES (1, 2, 'x', 3) ON CONFLICT (content, person, role) DO UPDATE SET billing = 4 RETURNING billing

-- ?
INSERT INTO credits VALUES (1, 2, 'x', 3) ON CONFLICT (content, person, role) DO UPDATE SET role = 'z' RETURNING billing

-- !
INSERT INTO credits VALUES (1, 2, 'x', 3) ON CONFLICT DO NOTHING RETURNING billing

-- ? !
INSERT INTO users (id, name, email) VALUES (1, 'a', 'b') RETURNING shout, double

-- ? ?
INSERT INTO ruled VALUES (1, 'x') RETURNING id, note

-- ? ?
INSERT INTO titles VALUES (1, 'x') RETURNING id, title

-- ! ? ?
UPDATE content SET year = NULL WHERE year > 3 RETURNING id, year, rating

-- !
UPDATE plain SET note = 'x' RETURNING note

-- ?
UPDATE watched SET note = 'x' RETURNING note

-- ! !
UPDATE plain SET note = upper(note) WHERE note > 'a' AND other > 3 RETURNING note, other

-- ?
UPDATE watched SET id = 3 WHERE note > 'a' RETURNING note

-- ? !
UPDATE plain p SET note = c.title FROM content c WHERE c.id = p.id RETURNING c.year, p.note

-- !
UPDATE plain p SET note = 'x' FROM content c WHERE c.year = p.id RETURNING c.year

-- ?
UPDATE plain p SET note = 'x' FROM content c LEFT JOIN credits r ON r.content = c.id WHERE c.id = p.id RETURNING r.role

-- ! ?
DELETE FROM content RETURNING id, year

-- ! !
DELETE FROM content WHERE year > 3 RETURNING id, year

-- ! ?
DELETE FROM credits r USING content c WHERE c.id = r.content RETURNING c.title, r.billing

-- ! !
DELETE FROM content RETURNING title || '!', EXISTS (SELECT FROM people)

-- ? !
DELETE FROM users RETURNING tag, email

-- ? !
-- since 18
INSERT INTO plain (id, note) VALUES (1, 'x') RETURNING old.id, new.id

-- ! ! ?
-- since 18
UPDATE plain SET note = NULL WHERE note > 'a' RETURNING old.id, old.note, new.note

-- ! ?
-- since 18
DELETE FROM plain RETURNING old.id, new.id

-- ! !
-- since 18
MERGE INTO plain p USING content c ON c.id = p.id WHEN MATCHED THEN UPDATE SET note = c.title RETURNING p.id, c.title

-- ! ! ?
-- since 18
MERGE INTO plain p USING content c ON c.id = p.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (1) RETURNING merge_action(), c.title, new.id

-- ! ?
-- since 18
MERGE INTO plain p USING content c ON c.id = p.id WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING p.id, c.title

-- ? !
-- since 18
MERGE INTO plain p USING content c ON c.id = p.id WHEN NOT MATCHED THEN INSERT (id) VALUES (1) RETURNING old.id, new.id

-- ! ?
UPDATE events SET device = 'x' RETURNING content, rating

-- ? ?
UPDATE plain SET note = NULL WHERE upper(note) = 'A' RETURNING upper(note), note

-- ! !
DELETE FROM plain WHERE upper(note) = 'A' RETURNING note, id

-- ! ?
-- parameters: int
UPDATE plain SET note = NULL WHERE other = $1 RETURNING $1, note

-- ?
-- since 18
-- parameters: int
MERGE INTO plain p USING (SELECT id FROM content WHERE year = $1) c ON c.id = p.id WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING $1

-- ?
-- since 18
-- parameters: int
MERGE INTO plain p USING (content c JOIN people q ON c.year = $1) ON c.id = p.id WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING $1
