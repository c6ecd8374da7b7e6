-- When and where a title may be watched: windows, of which one must be open. A title without any may be watched always
-- and everywhere.
CREATE TABLE content_availability (
    content_id bigint NOT NULL REFERENCES content ON DELETE CASCADE,
    region text CHECK (region <> ''), -- null: in every region
    starts_at timestamptz, -- null: since ever
    ends_at timestamptz, -- null: without end; at that moment the window is closed
    UNIQUE NULLS NOT DISTINCT (content_id, region, starts_at, ends_at),
    CHECK (starts_at < ends_at)
);
CREATE INDEX ON content_availability (region);
