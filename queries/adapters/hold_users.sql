-- Have those who save adapters of the same users take turns until their transactions end, before `adapters/save_many`.
SELECT id FROM users WHERE external_id = ANY(:user_ids::text[]) ORDER BY id FOR NO KEY UPDATE;
