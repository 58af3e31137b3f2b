CREATE TABLE vault.key (
    id bytea PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    secret bytea NOT NULL
) WITH (
    -- What was deleted shall not stay on the disk for long.
    autovacuum_vacuum_threshold = 0,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = -1
);
CREATE INDEX key_subject_idx ON vault.key (subject);
COMMENT ON TABLE vault.key IS
    'What opens the personal texts in the log: a key for each action and each person that it tells of. Erasing a person deletes theirs, for ever.';

INSERT INTO log.app_right (relation, privileges) VALUES ('vault.key', 'SELECT, INSERT, DELETE');
SELECT log.set_up_roles();
