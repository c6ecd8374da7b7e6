-- Themes that a title no longer has.
-- needs: ingest/stage_content
DELETE FROM content_themes t
USING staged_content s, content c
WHERE c.external_id = s.content_id
    AND t.content_id = c.id
    AND s.themes IS NOT NULL
    AND NOT t.theme = ANY(s.themes)
RETURNING t.content_id;
