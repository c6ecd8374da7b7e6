-- Have those who save adapters of one user take turns until their transactions end, before `adapters/save`.
SELECT id FROM users WHERE external_id = :user_id FOR NO KEY UPDATE;
