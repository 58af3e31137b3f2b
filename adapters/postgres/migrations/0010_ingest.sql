CREATE SCHEMA ingest;

CREATE TABLE ingest.progress (
    reader text PRIMARY KEY,
    next_offset bigint NOT NULL
);
COMMENT ON TABLE ingest.progress IS
    'How far actions are taken in: a topic, its id and a partition of it, and the offset of the next record. Moved in the transaction of the events, under the log''s lock.';

CREATE TABLE ingest.dead_letter (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    code text NOT NULL,
    error text NOT NULL,
    key bytea,
    value bytea,
    headers text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz
);
CREATE INDEX dead_letter_unsent_idx ON ingest.dead_letter (number) WHERE sent_at IS NULL;
CREATE INDEX dead_letter_refused_at_idx ON ingest.dead_letter (refused_at);
COMMENT ON TABLE ingest.dead_letter IS
    'Records that were refused, as they came, until they are sent again or are too old for it. Error and headers are JSON, header values in base64.';

-- Nobody else shall read what was refused: it is not sealed.
INSERT INTO log.app_right (relation, privileges) VALUES
    ('SCHEMA ingest', 'USAGE'),
    ('ingest.progress', 'SELECT, INSERT, UPDATE'),
    ('ingest.dead_letter', 'SELECT, INSERT, UPDATE, DELETE');
SELECT log.set_up_roles();
