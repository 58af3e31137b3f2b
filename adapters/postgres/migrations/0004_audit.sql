-- What is hashed for an event: one line of JSON, the event's stored bytes at its end.
-- The engine builds the same line by itself; this is how an auditor does it in SQL:
-- SELECT notification_id FROM log.event WHERE leaf_hash <> sha256('\x00'::bytea || log.leaf(event));
CREATE FUNCTION log.leaf(one log.event) RETURNS bytea LANGUAGE sql STABLE AS $$
SELECT convert_to(
    '{"position":' || one.notification_id
    || ',"recorded_at":"' || to_char(one.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || '","stream":' || to_json(one.originator_id)
    || ',"version":' || one.originator_version
    || ',"name":' || to_json(one.topic)
    || ',"event_version":' || one.event_version
    || ',"action_seq":' || one.action_seq
    || ',"occurred_at":"' || to_char(one.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || '","actor":' || to_json(one.actor)
    || ',"source":' || to_json(one.action_source)
    || ',"action":' || to_json(one.action_id)
    || ',"correlation_id":' || coalesce(to_json(one.correlation_id)::text, 'null')
    || ',"causation_id":' || coalesce(to_json(one.causation_id)::text, 'null')
    || ',"migrated":' || one.migrated::text
    || ',"data":', 'UTF8') || one.state || '}'::bytea
$$;
COMMENT ON FUNCTION log.leaf IS 'The leaf data of an event in the Merkle tree; its leaf hash is SHA-256(0x00 || leaf data).';

ALTER TABLE log.event ADD COLUMN leaf_hash bytea;
-- Events recorded before hashes were kept get theirs now: the only time that rows of the log are touched.
ALTER TABLE log.event DISABLE TRIGGER append_only;
UPDATE log.event SET leaf_hash = sha256('\x00'::bytea || log.leaf(event));
ALTER TABLE log.event ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE log.event ALTER COLUMN leaf_hash SET NOT NULL;
COMMENT ON COLUMN log.event.leaf_hash IS 'Written with the event: the leaf (position - 1) of the Merkle tree over the log.';

CREATE SCHEMA audit;

CREATE TABLE audit.node (
    level smallint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (level, number)
);
COMMENT ON TABLE audit.node IS
    'Complete subtrees over the leaf hashes: of every 8th level, 256 leaves and more. Node n of level l is over the leaves n * 2^l and on.';

CREATE TABLE audit.tree (
    size bigint NOT NULL
);
INSERT INTO audit.tree (size) VALUES (0);
COMMENT ON TABLE audit.tree IS
    'How many events the nodes are complete for, moved in the transaction that writes them. The row is its writers'' lock.';

CREATE TABLE audit.checkpoint (
    number bigint PRIMARY KEY,
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE INDEX checkpoint_size_idx ON audit.checkpoint (size);
COMMENT ON TABLE audit.checkpoint IS
    'Every checkpoint that was signed: a tlog-checkpoint as a signed note. Numbers have no gap. Keep copies where we can''t reach.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE audit.checkpoint ENABLE ALWAYS TRIGGER append_only;
