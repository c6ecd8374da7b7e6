-- Genres that a title no longer has.
-- needs: ingest/stage_content
DELETE FROM content_genres t
USING staged_content s, content c
WHERE c.external_id = s.content_id
    AND t.content_id = c.id
    AND s.genres IS NOT NULL
    AND NOT t.genre = ANY(s.genres)
RETURNING t.content_id;
