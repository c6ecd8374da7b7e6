-- All content: the columns of the training matrix.
SELECT id, external_id FROM content ORDER BY id;
