-- Whether there is a user of this id.
SELECT EXISTS (SELECT FROM users WHERE external_id = :user_id) AS is_there;
