-- Where content lands first; a null is something that the source does not say.
-- utility
CREATE TEMP TABLE staged_content (
    position bigint GENERATED ALWAYS AS IDENTITY,
    content_id text NOT NULL,
    title text NOT NULL,
    kind text,
    year smallint,
    runtime_minutes smallint,
    plot text,
    genres text[],
    themes text[],
    actors text[],
    directors text[],
    writers text[]
) ON COMMIT DROP;
