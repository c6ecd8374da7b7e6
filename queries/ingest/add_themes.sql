-- Themes that a title has not had before.
-- needs: ingest/stage_content
INSERT INTO content_themes (content_id, theme)
SELECT c.id, unnest(s.themes)
FROM staged_content s
JOIN content c ON c.external_id = s.content_id
ON CONFLICT DO NOTHING
RETURNING content_id;
