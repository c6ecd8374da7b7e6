-- Credits that a title has not had before, or at another billing position.
-- needs: ingest/stage_content
INSERT INTO credits (content_id, person, role, billing_position)
SELECT c.id, p.person, p.role, p.billing_position
FROM staged_content s
JOIN content c ON c.external_id = s.content_id
CROSS JOIN LATERAL (
    SELECT person, 'actor' AS role, billing_position FROM unnest(s.actors) WITH ORDINALITY AS a (person, billing_position)
    UNION ALL
    SELECT person, 'director', billing_position FROM unnest(s.directors) WITH ORDINALITY AS d (person, billing_position)
    UNION ALL
    SELECT person, 'writer', billing_position FROM unnest(s.writers) WITH ORDINALITY AS w (person, billing_position)
) AS p
ON CONFLICT (content_id, role, person) DO UPDATE SET billing_position = excluded.billing_position
WHERE credits.billing_position <> excluded.billing_position
RETURNING content_id;
