"""Workers on the events topic killed at any moment, with duplicates, redelivery and reports beside them."""

import random
import time

import psycopg
import pytest
from kafka_records import fresh_topic
from projecting_log import LogWriter
from projecting_partitions import assert_as_rebuilt
from projecting_workers import engine_on, workers

from adapters.wiring import PROJECTIONS

ROUNDS = 20


@pytest.mark.parametrize("seed", [5])
def test_killed_workers_leave_what_one_process_builds(database_url: str, kafka: str, seed: int) -> None:
    dice, topic = random.Random(seed), fresh_topic("events")
    engine, writer = engine_on(database_url, kafka, topic), LogWriter(database_url)
    assert engine.projector.catch_up() == []
    killed = again = 0
    with workers(database_url, kafka, topic, batch=300) as group:
        group.start(2)
        for turn in range(ROUNDS):
            writer.append(dice.randrange(1, 900))
            if dice.random() < 0.3:
                again += _forget_what_was_published(database_url, dice)
            engine.events_topic.catch_up()
            if turn == ROUNDS // 3:
                group.start(2)
            elif turn == ROUNDS // 2:
                group.start(1, f"{topic}.others")  # Has all partitions as well, from their beginning.
            elif turn > 4 and dice.random() < 0.4:
                group.kill(dice.randrange(len(group.running)))
                group.start(1)
                killed += 1
            if dice.random() < 0.2:
                assert engine.projector.catch_up() == []
            time.sleep(dice.random() * 0.8)
        engine.projector.wait_for(writer.position, 30)
        group.end()
    assert killed > 3
    assert again > 100
    assert_as_rebuilt(engine.database, PROJECTIONS)
    engine.store.close()
    engine.database.close()


def _forget_what_was_published(url: str, dice: random.Random) -> int:
    """The publisher sends the last so many again."""
    with psycopg.connect(url) as connection:
        count = dice.randrange(1000)
        connection.execute("UPDATE log.publication SET position = greatest(position - %s, 0)", (count,))
    return count
