CREATE SCHEMA vault;

CREATE TABLE vault.secret (
    name text PRIMARY KEY,
    value bytea NOT NULL
);
INSERT INTO vault.secret (name, value)
SELECT 'identity_keys', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
COMMENT ON TABLE vault.secret IS
    'Random, made with the database: the key of the HMACs that name identity-key streams. Lost, no key can be found again.';

-- The first five columns are the eventsourcing library's own, by its names; the rest is our envelope.
-- Collation "C": compared as bytes, the same on every machine.
CREATE TABLE log.event (
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL,
    event_version smallint NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action_source text COLLATE "C" NOT NULL,
    action_id text COLLATE "C" NOT NULL,
    action_seq integer NOT NULL,
    correlation_id text COLLATE "C",
    causation_id text COLLATE "C",
    migrated boolean NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_scale_factor = 0.05
);
CREATE UNIQUE INDEX event_notification_id_idx ON log.event (notification_id);
CREATE UNIQUE INDEX event_action_idx ON log.event (action_source, action_id) WHERE action_seq = 0;
COMMENT ON TABLE log.event IS 'Every fact, once, for ever. Positions (notification_id) have no gap and follow the order of commits.';

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.event
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
-- Fires also where session_replication_role would silence ordinary triggers.
ALTER TABLE log.event ENABLE ALWAYS TRIGGER append_only;

CREATE VIEW log.events AS
SELECT
    notification_id AS position,
    originator_id AS stream,
    originator_version AS version,
    topic AS name,
    event_version,
    occurred_at,
    recorded_at,
    actor,
    action_source AS source,
    action_id AS action,
    action_seq,
    correlation_id,
    causation_id,
    migrated,
    convert_from(state, 'UTF8')::jsonb AS data
FROM log.event;
COMMENT ON VIEW log.events IS 'The log as an auditor reads it, each event''s data as jsonb.';

CREATE FUNCTION log.position_at(moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
-- recorded_at never goes back and positions have no gap, so halving finds it in some twenty lookups.
DECLARE
    low bigint := 0;
    high bigint := coalesce((SELECT max(notification_id) FROM log.event), 0);
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT recorded_at FROM log.event WHERE notification_id = middle) <= moment THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;
COMMENT ON FUNCTION log.position_at IS 'The last position recorded at or before the moment; 0 if none was.';
