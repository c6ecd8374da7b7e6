-- The ids of all content, to tell events of unknown content from the others.
SELECT external_id FROM content;
