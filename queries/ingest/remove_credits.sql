-- Credits that a title no longer has, of the roles of which the source says something.
-- needs: ingest/stage_content
DELETE FROM credits t
USING staged_content s, content c
WHERE c.external_id = s.content_id
    AND t.content_id = c.id
    AND NOT t.person = ANY(
        CASE t.role WHEN 'actor' THEN s.actors WHEN 'director' THEN s.directors WHEN 'writer' THEN s.writers END
    )
RETURNING t.content_id;
