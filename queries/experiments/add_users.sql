-- Make sure that there are these users.
INSERT INTO users (external_id)
SELECT DISTINCT x.user_id FROM unnest(:user_ids::text[]) AS x (user_id) ORDER BY x.user_id
ON CONFLICT (external_id) DO NOTHING;
