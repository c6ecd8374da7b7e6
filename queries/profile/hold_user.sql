-- Hold a user until the transaction ends, so that two who add events for the same user take turns.
-- returns: one
SELECT id FROM users WHERE external_id = :user_id FOR UPDATE;
