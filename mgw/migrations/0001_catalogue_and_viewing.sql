-- The catalogue, the audience, and what the audience watched.
--
-- Ids: callers know users and content by their own strings (external_id); inside, integers keep joins fast.

CREATE TABLE content (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    external_id text NOT NULL UNIQUE CHECK (external_id <> ''),
    title text NOT NULL CHECK (title <> ''),
    kind text NOT NULL DEFAULT 'film' CHECK (kind IN ('film', 'series')),
    year smallint CHECK (year BETWEEN 1870 AND 2200),
    runtime_minutes smallint CHECK (runtime_minutes > 0),
    plot text
);

CREATE TABLE content_genres (
    content_id bigint NOT NULL REFERENCES content ON DELETE CASCADE,
    genre text NOT NULL CHECK (genre <> ''),
    PRIMARY KEY (content_id, genre)
);
CREATE INDEX ON content_genres (genre, content_id);

CREATE TABLE content_themes (
    content_id bigint NOT NULL REFERENCES content ON DELETE CASCADE,
    theme text NOT NULL CHECK (theme <> ''),
    PRIMARY KEY (content_id, theme)
);
CREATE INDEX ON content_themes (theme, content_id);

CREATE TABLE credits (
    content_id bigint NOT NULL REFERENCES content ON DELETE CASCADE,
    person text NOT NULL CHECK (person <> ''),
    role text NOT NULL CHECK (role IN ('actor', 'director', 'writer')),
    billing_position smallint NOT NULL CHECK (billing_position >= 1), -- 1 is billed first
    PRIMARY KEY (content_id, role, person)
);
CREATE INDEX ON credits (person, role, content_id);

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    external_id text NOT NULL UNIQUE CHECK (external_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE viewing_events (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    content_id bigint NOT NULL REFERENCES content ON DELETE CASCADE,
    at timestamptz, -- null where the source has no time: such an event is older than any other
    completion_rate real NOT NULL CHECK (completion_rate BETWEEN 0 AND 1),
    rating real CHECK (rating BETWEEN 1 AND 5),
    is_rewatch boolean NOT NULL DEFAULT false,
    dismissed boolean NOT NULL DEFAULT false,
    device text CHECK (device IN ('tv', 'phone', 'tablet', 'desktop')),
    -- One viewing is one event, however often it is sent. Two events of unknown time are the same event.
    -- The index behind this also serves everything that is asked about one user.
    UNIQUE NULLS NOT DISTINCT (user_id, content_id, at)
);
CREATE INDEX ON viewing_events (content_id, user_id);

-- How far each user ever got in each title, and when they last watched it. A view, because a table beside the events
-- would have to be kept in step with them.
CREATE VIEW watch_progress AS
SELECT user_id, content_id, max(completion_rate) AS completion_rate, max(at) AS last_watched
FROM viewing_events
WHERE completion_rate > 0
GROUP BY user_id, content_id;
