-- The pairs that an evaluation may learn from, and until when.
-- utility
CREATE TEMP TABLE known_pairs (
    user_id bigint NOT NULL,
    content_id bigint NOT NULL,
    until timestamptz, -- null: the pair has no event with a time
    PRIMARY KEY (user_id, content_id)
) ON COMMIT DROP;
