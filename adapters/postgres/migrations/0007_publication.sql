CREATE TABLE audit.publication (
    target text PRIMARY KEY,
    number bigint NOT NULL
);
COMMENT ON TABLE audit.publication IS
    'How far checkpoints are published: the number of the last that was acknowledged, for each topic and its id. The row is its publishers'' lock.';

INSERT INTO log.app_right (relation, privileges) VALUES ('audit.publication', 'INSERT, UPDATE');
SELECT log.set_up_roles();
