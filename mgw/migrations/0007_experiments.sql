-- Experiments as they are run. What 0002 had for them was written to by no command: a definition was spread over columns,
-- and a conversion belonged to a metric where several metrics count the same event.
DROP TABLE experiment_conversions, experiment_exposures, experiment_assignments, experiment_metrics, experiment_variants,
    experiments;

CREATE TABLE experiments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'running', 'paused', 'completed', 'archived')),
    definition jsonb NOT NULL, -- the whole of it, as it was created
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz, -- first
    ended_at timestamptz
);
CREATE INDEX ON experiments (status);

CREATE TABLE experiment_variants (
    experiment_id bigint NOT NULL REFERENCES experiments ON DELETE CASCADE,
    position smallint NOT NULL CHECK (position >= 0), -- the control is 0
    name text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (experiment_id, position),
    UNIQUE (experiment_id, name)
);

-- The weights that users were assigned by, and from when on: with others a new phase begins, which is compared by itself.
CREATE TABLE experiment_phases (
    experiment_id bigint NOT NULL REFERENCES experiments ON DELETE CASCADE,
    phase smallint NOT NULL CHECK (phase >= 0),
    weights double precision[] NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (experiment_id, phase)
);

-- What is counted: the events that the metrics of an experiment name. One of `viewing.` is read from viewing_events.
CREATE TABLE experiment_events (
    experiment_id bigint NOT NULL REFERENCES experiments ON DELETE CASCADE,
    event text NOT NULL CHECK (event <> ''),
    PRIMARY KEY (experiment_id, event)
);

-- One row for each user who was exposed: in which variant, and when first. It is the unit of analysis, and what keeps a
-- user in a variant when the weights change.
CREATE TABLE experiment_assignments (
    experiment_id bigint NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    position smallint NOT NULL,
    phase smallint NOT NULL,
    exposed_at timestamptz NOT NULL,
    is_mixed boolean NOT NULL DEFAULT false, -- was exposed to another variant too, and is left out of the analysis
    PRIMARY KEY (experiment_id, user_id),
    FOREIGN KEY (experiment_id, position) REFERENCES experiment_variants ON DELETE CASCADE
);
CREATE INDEX ON experiment_assignments (user_id);

CREATE TABLE experiment_exposures (
    experiment_id bigint NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    window_start timestamptz NOT NULL, -- one exposure is kept for each user and window
    position smallint NOT NULL,
    exposed_at timestamptz NOT NULL,
    slate bigint[] NOT NULL DEFAULT '{}', -- content ids in the order shown; 0 is a title that was deleted
    propensities real[] NOT NULL DEFAULT '{}', -- the chance with which each was put on its place
    teams smallint[] NOT NULL DEFAULT '{}', -- which variant brought each title, where variants were interleaved
    PRIMARY KEY (experiment_id, user_id, window_start),
    FOREIGN KEY (experiment_id, position) REFERENCES experiment_variants ON DELETE CASCADE,
    CHECK (cardinality(propensities) IN (0, cardinality(slate))),
    CHECK (cardinality(teams) IN (0, cardinality(slate)))
);
CREATE INDEX ON experiment_exposures (user_id);

CREATE TABLE experiment_conversions (
    experiment_id bigint NOT NULL,
    idempotency_key text NOT NULL CHECK (idempotency_key <> ''),
    event text NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    value double precision NOT NULL DEFAULT 1,
    converted_at timestamptz NOT NULL,
    PRIMARY KEY (experiment_id, idempotency_key),
    FOREIGN KEY (experiment_id, event) REFERENCES experiment_events ON DELETE CASCADE
);
CREATE INDEX ON experiment_conversions (experiment_id, event, user_id) INCLUDE (converted_at, value);
CREATE INDEX ON experiment_conversions (user_id);

-- What experiments read of the viewing events: one row for each event and each way to count it, where it counts for
-- something.
CREATE VIEW viewing_measures AS
SELECT v.user_id, w.event, v.at, w.value
FROM viewing_events v
CROSS JOIN LATERAL (
    VALUES
        ('viewing.titles', (NOT v.dismissed)::integer::double precision),
        ('viewing.completion', v.completion_rate::double precision),
        ('viewing.completed', (v.completion_rate >= 0.9)::integer::double precision),
        ('viewing.dismissed', v.dismissed::integer::double precision)
) AS w (event, value)
WHERE w.value > 0;
