CREATE TABLE read.partition (
    projection text,
    partition integer,
    partitions integer NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (projection, partition)
);
COMMENT ON TABLE read.partition IS
    'How far workers on Kafka are with a projection: all events up to the position of the streams of that partition, of so many, are in its tables, though its checkpoint be behind. Moved in the transaction that writes the tables.';

SELECT log.set_up_roles();
