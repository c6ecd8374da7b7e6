-- Where windows of availability land first.
-- utility
CREATE TEMP TABLE staged_availability (
    content_id text NOT NULL,
    region text,
    starts_at timestamptz,
    ends_at timestamptz
) ON COMMIT DROP;
