-- Fill the staging table.
COPY staged_content (
    content_id, title, kind, year, runtime_minutes, plot, genres, themes, actors, directors, writers
) FROM STDIN;
