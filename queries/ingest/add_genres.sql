-- Genres that a title has not had before.
-- needs: ingest/stage_content
INSERT INTO content_genres (content_id, genre)
SELECT c.id, unnest(s.genres)
FROM staged_content s
JOIN content c ON c.external_id = s.content_id
ON CONFLICT DO NOTHING
RETURNING content_id;
