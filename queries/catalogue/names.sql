-- The id and the name of all content, to suggest the nearest to one that does not exist.
SELECT external_id, title FROM content;
