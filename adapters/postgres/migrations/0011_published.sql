CREATE TABLE log.publication (
    target text PRIMARY KEY,
    position bigint NOT NULL
);
COMMENT ON TABLE log.publication IS
    'How far the log is published: the last position that was acknowledged, with all before it, for each topic and its id.';

INSERT INTO log.app_right (relation, privileges) VALUES ('log.publication', 'INSERT, UPDATE');
SELECT log.set_up_roles();
