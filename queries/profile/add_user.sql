-- Make sure that there is a user.
INSERT INTO users (external_id) VALUES (:user_id) ON CONFLICT (external_id) DO NOTHING;
