-- A page of the trail, the newest first: entries before a key, under any of the filters that are given.
SELECT id, at, user_id, action, resource_type, resource_id, details, ip, user_agent
FROM audit_logs
WHERE (at, id) < (:before_at::timestamptz, :before_id::bigint)
    AND at >= :start::timestamptz
    AND (:user_id::text IS NULL OR user_id = :user_id::text)
    AND (:action::text IS NULL OR action = :action::text)
    AND (:resource_type::text IS NULL OR resource_type = :resource_type::text)
    AND (:resource_id::text IS NULL OR resource_id = :resource_id::text)
ORDER BY at DESC, id DESC
LIMIT :top_k;
