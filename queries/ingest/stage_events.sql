-- Where events land first: as the caller names things, until the transaction ends.
-- utility
CREATE TEMP TABLE staged_events (
    position bigint GENERATED ALWAYS AS IDENTITY,
    user_id text NOT NULL,
    content_id text NOT NULL,
    at timestamptz,
    completion_rate real NOT NULL,
    rating real,
    is_rewatch boolean NOT NULL,
    dismissed boolean NOT NULL,
    device text
) ON COMMIT DROP;
