-- The audit trail as a chain: each entry holds the hash of the one before, so that one that was changed, taken out or put in
-- shows. Entries come in by batches that may be sent twice, and are found by words.
ALTER TABLE audit_logs RENAME TO audit_logs_before; -- mgw: noqa[squawk:renaming-table] it is gone at the end

CREATE TABLE audit_logs (
    position bigint PRIMARY KEY, -- without gaps
    entry_id uuid NOT NULL UNIQUE, -- made by whoever wrote it, so that it is kept once however often it is sent
    at timestamptz NOT NULL, -- when it happened; entries that waited for the database come in later
    user_id text, -- who acted, by the caller's id; it may be nobody that `users` knows
    action text NOT NULL CHECK (action <> ''),
    resource_type text NOT NULL CHECK (resource_type <> ''),
    resource_id text,
    details jsonb NOT NULL DEFAULT '{}',
    ip inet,
    user_agent text,
    hash bytea NOT NULL, -- SHA-256 of the hash before and of what the entry says
    words tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector(
            'simple',
            regexp_replace(
                lower(
                    coalesce(user_id, '') || ' ' || action || ' ' || resource_type || ' ' || coalesce(resource_id, '') || ' '
                    || details::text || ' ' || coalesce(user_agent, '')
                ),
                '[^[:alnum:]]+', ' ', 'g'
            )
        )
    ) STORED
);
CREATE INDEX ON audit_logs (at, position);
CREATE INDEX ON audit_logs (user_id, at, position);
CREATE INDEX ON audit_logs (user_id, action, at, position); -- for a user who never did what is looked for
CREATE INDEX ON audit_logs (action, at, position);
CREATE INDEX ON audit_logs (resource_type, at, position);
CREATE INDEX ON audit_logs (resource_id, at, position);
CREATE INDEX ON audit_logs USING gin (words) WITH (fastupdate = off);

-- Where the chain ends, so that it shows if the last entries are gone; and where it begins after older ones were purged.
CREATE TABLE audit_ends (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    position bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT '',
    purged_position bigint NOT NULL DEFAULT 0,
    purged_hash bytea NOT NULL DEFAULT ''
);
INSERT INTO audit_ends DEFAULT VALUES;

-- What an entry says, in letters that depend on no setting: what is hashed, and what an export has.
CREATE FUNCTION audit_content(entry audit_logs) RETURNS text LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'position', entry.position,
    'entry_id', entry.entry_id::text,
    'at', to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'user_id', entry.user_id,
    'action', entry.action,
    'resource_type', entry.resource_type,
    'resource_id', entry.resource_id,
    'details', entry.details,
    'ip', host(entry.ip),
    'user_agent', entry.user_agent
)::text
$$;

-- Each entry takes its place behind the last one. Whoever writes holds the end of the chain until the transaction ends.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('mgw audit'));
    SELECT l.position, l.hash INTO last FROM audit_logs l ORDER BY l.position DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT e.purged_position AS position, e.purged_hash AS hash INTO last FROM audit_ends e;
    END IF;
    NEW.position := last.position + 1;
    NEW.hash := sha256(last.hash || convert_to(audit_content(NEW), 'UTF8'));
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_chain BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_chain();

CREATE FUNCTION audit_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE audit_ends e SET position = l.position, hash = l.hash
    FROM (SELECT position, hash FROM audit_logs ORDER BY position DESC LIMIT 1) AS l
    WHERE e.position < l.position;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_end AFTER INSERT ON audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_end();

-- Nobody changes an entry, and only the retention takes some out.
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('mgw.audit_retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit trail is only added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_logs
FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_not_truncated BEFORE TRUNCATE ON audit_logs
FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

INSERT INTO audit_logs (entry_id, at, user_id, action, resource_type, resource_id, details, ip, user_agent)
SELECT gen_random_uuid(), b.at, b.user_id, b.action, b.resource_type, b.resource_id, b.details, b.ip, b.user_agent
FROM audit_logs_before b
ORDER BY b.at, b.id;
DROP TABLE audit_logs_before;
