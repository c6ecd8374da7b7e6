-- Fill the staging table.
-- utility
COPY staged_content (
    content_id, title, kind, year, runtime_minutes, plot, genres, themes, actors, directors, writers
) FROM STDIN;
