-- A page of the trail, the newest first: entries before a key, under any of the filters that are given. A word is found
-- by its beginning.
-- param user_id: text null
-- param action: text null
-- param resource_type: text null
-- param resource_id: text null
-- param words: text null
SELECT l.position, l.at, l.user_id, l.action, l.resource_type, l.resource_id, l.details, l.ip, l.user_agent
FROM audit_logs l
WHERE (l.at, l.position) < (:before_at::timestamptz, :before_position::bigint)
    AND l.at >= :start::timestamptz
    AND (:user_id IS NULL OR l.user_id = :user_id)
    AND (:action IS NULL OR l.action = :action)
    AND (:resource_type IS NULL OR l.resource_type = :resource_type)
    AND (:resource_id IS NULL OR l.resource_id = :resource_id)
    AND (:words IS NULL OR l.words @@ to_tsquery('simple', :words))
ORDER BY l.at DESC, l.position DESC
LIMIT :top_k;
