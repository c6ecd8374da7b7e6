-- A batch of entries, in order. What nobody knows is empty.
INSERT INTO audit_logs (at, user_id, action, resource_type, resource_id, details, ip, user_agent)
SELECT
    l.at, nullif(l.user_id, ''), l.action, l.resource_type, nullif(l.resource_id, ''), l.details,
    nullif(l.ip, '')::inet, nullif(l.user_agent, '')
FROM unnest(
    :at::timestamptz[], :user_ids::text[], :actions::text[], :resource_types::text[], :resource_ids::text[],
    :details::jsonb[], :ips::text[], :user_agents::text[]
) WITH ORDINALITY AS l (at, user_id, action, resource_type, resource_id, details, ip, user_agent, position)
ORDER BY l.position;
