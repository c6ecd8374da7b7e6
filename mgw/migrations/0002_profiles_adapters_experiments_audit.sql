-- What the domains beside the catalogue keep: profiles, adapters, experiments and the audit trail.

-- One profile for each user, made for one model snapshot; with another snapshot in use it is made anew.
CREATE TABLE user_profiles (
    user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    snapshot text NOT NULL,
    preference real[] NOT NULL, -- the preference vector, as long as the snapshot's content embeddings
    genre_affinities jsonb NOT NULL DEFAULT '{}', -- genre: 0 to 1
    hours real[] NOT NULL CHECK (cardinality(hours) = 24), -- share of viewing in each hour of the day, UTC
    weekdays real[] NOT NULL CHECK (cardinality(weekdays) = 7), -- the same for each day, Monday first
    events_seen integer NOT NULL CHECK (events_seen >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE lora_adapters (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    version integer NOT NULL CHECK (version >= 1),
    base_snapshot text NOT NULL, -- the model that it adapts; with any other it means nothing
    format_version smallint NOT NULL,
    rank smallint NOT NULL CHECK (rank >= 1),
    weights bytea NOT NULL,
    checksum bytea NOT NULL CHECK (length(checksum) = 32), -- SHA-256 of weights
    events_used integer NOT NULL CHECK (events_used >= 0),
    metrics jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, name, version)
);
CREATE INDEX ON lora_adapters (base_snapshot);

CREATE TABLE experiments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    salt text NOT NULL, -- hashed with the user's id, so that experiments are independent of each other
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'running', 'paused', 'completed', 'archived')),
    traffic_allocation double precision NOT NULL DEFAULT 1 CHECK (traffic_allocation BETWEEN 0 AND 1),
    namespace text,
    namespace_from double precision CHECK (namespace_from BETWEEN 0 AND 1),
    namespace_to double precision CHECK (namespace_to BETWEEN 0 AND 1),
    targeting jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz,
    CHECK (namespace IS NULL OR namespace_from < namespace_to)
);
CREATE INDEX ON experiments (status);

CREATE TABLE experiment_variants (
    experiment_id bigint NOT NULL REFERENCES experiments ON DELETE CASCADE,
    position smallint NOT NULL CHECK (position >= 0), -- the control is 0
    name text NOT NULL CHECK (name <> ''),
    weight double precision NOT NULL CHECK (weight BETWEEN 0 AND 1),
    config jsonb NOT NULL DEFAULT '{}', -- laid over the pipeline's settings
    PRIMARY KEY (experiment_id, position),
    UNIQUE (experiment_id, name)
);

CREATE TABLE experiment_metrics (
    experiment_id bigint NOT NULL REFERENCES experiments ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('binary', 'mean', 'ratio', 'quantile', 'count')),
    definition jsonb NOT NULL DEFAULT '{}',
    higher_is_better boolean NOT NULL DEFAULT true,
    is_guardrail boolean NOT NULL DEFAULT false,
    PRIMARY KEY (experiment_id, name)
);

-- Assignment is computed; what is kept is what must not change: a forced variant, or one held when weights changed.
CREATE TABLE experiment_assignments (
    experiment_id bigint NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    position smallint NOT NULL,
    is_forced boolean NOT NULL DEFAULT false,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (experiment_id, user_id),
    FOREIGN KEY (experiment_id, position) REFERENCES experiment_variants ON DELETE CASCADE
);
CREATE INDEX ON experiment_assignments (user_id);

CREATE TABLE experiment_exposures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    experiment_id bigint NOT NULL,
    position smallint NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    exposed_at timestamptz NOT NULL,
    window_start timestamptz NOT NULL, -- one exposure is counted for each user and window
    slate bigint[] NOT NULL DEFAULT '{}', -- content ids in the order shown
    propensities double precision[] NOT NULL DEFAULT '{}', -- of each place of the slate
    UNIQUE (experiment_id, user_id, window_start),
    FOREIGN KEY (experiment_id, position) REFERENCES experiment_variants ON DELETE CASCADE,
    CHECK (cardinality(propensities) IN (0, cardinality(slate)))
);
CREATE INDEX ON experiment_exposures (user_id);

CREATE TABLE experiment_conversions (
    experiment_id bigint NOT NULL,
    metric text NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    idempotency_key text NOT NULL CHECK (idempotency_key <> ''),
    value double precision NOT NULL DEFAULT 1,
    converted_at timestamptz NOT NULL,
    PRIMARY KEY (experiment_id, idempotency_key),
    FOREIGN KEY (experiment_id, metric) REFERENCES experiment_metrics ON DELETE CASCADE
);
CREATE INDEX ON experiment_conversions (experiment_id, metric, user_id);
CREATE INDEX ON experiment_conversions (user_id);

CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    user_id text, -- who acted, by the caller's id; it may be nobody that `users` knows
    action text NOT NULL CHECK (action <> ''),
    resource_type text NOT NULL CHECK (resource_type <> ''),
    resource_id text,
    details jsonb NOT NULL DEFAULT '{}',
    ip inet,
    user_agent text
);
CREATE INDEX ON audit_logs (at, id);
CREATE INDEX ON audit_logs (user_id, at, id);
CREATE INDEX ON audit_logs (action, at, id);
CREATE INDEX ON audit_logs (resource_type, resource_id, at, id);
