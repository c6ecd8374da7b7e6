-- A batch of entries, in order; those that are there already change nothing. What nobody knows is empty.
INSERT INTO audit_logs (entry_id, at, user_id, action, resource_type, resource_id, details, ip, user_agent)
SELECT
    l.entry_id, l.at, nullif(l.user_id, ''), l.action, l.resource_type, nullif(l.resource_id, ''), l.details,
    nullif(l.ip, '')::inet, nullif(l.user_agent, '')
FROM unnest(
    :entry_ids::uuid[], :at::timestamptz[], :user_ids::text[], :actions::text[], :resource_types::text[],
    :resource_ids::text[], :details::jsonb[], :ips::text[], :user_agents::text[]
) WITH ORDINALITY AS l (
    entry_id, at, user_id, action, resource_type, resource_id, details, ip, user_agent, place
)
ORDER BY l.place
ON CONFLICT (entry_id) DO NOTHING;
