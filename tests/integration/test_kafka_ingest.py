"""Actions from Kafka: one effect each, whoever reads them how often; what is refused is a dead letter."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka_actions import (
    action,
    assert_all_rubbish_is_dead,
    assert_each_has_one_effect,
    caught_up,
    encoded,
    engine_on,
    found,
    leads_of,
    mixed,
    recorded,
    rubbish,
    story,
    taken_in,
    unsent,
)
from kafka_records import actions_topic, records, send

from adapters.kafka import ingest, topics
from adapters.kafka.connecting import Cluster
from adapters.kafka.dead_letters import DeadLetters
from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore
from adapters.settings import read_settings
from adapters.wiring import Engine
from services.activities import Activities
from services.answers import Answer
from services.intake import Intake, Submission


@pytest.fixture
def name(kafka: str) -> str:
    return actions_topic(kafka)


@pytest.fixture
def engine(database_url: str, kafka: str, name: str) -> Iterator[Engine]:
    with engine_on(database_url, kafka, name) as made:
        found(made)
        yield made


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    give_up_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def again(engine: Engine) -> None:
    """Kafka delivers all of it once more."""
    with engine.database.connection() as connection:
        connection.execute("UPDATE ingest.progress SET next_offset = 0")


def test_good_actions_have_one_effect_and_rubbish_is_dead(engine: Engine, kafka: str, name: str) -> None:
    sent, bad = mixed(60, 0.3)
    send(kafka, name, *sent)
    topic = caught_up(engine)
    counts = topic.counts
    assert (counts["accepted"], counts["duplicates"], counts["rejected"]) == (300, 0, bad.total())
    assert len({code for code, _ in bad}) == len({rubbish(number)[0] for number in range(14)})
    assert_each_has_one_effect(engine, [*leads_of(60)])
    assert_all_rubbish_is_dead(engine, kafka, bad)
    assert (taken_in(engine), unsent(engine)) == (len(sent), 0)


def test_what_comes_again_has_no_effect(engine: Engine, kafka: str, name: str) -> None:
    send(kafka, name, *mixed(10, 0)[0])
    caught_up(engine)
    head = engine.store.head()
    again(engine)
    assert caught_up(engine).counts == {"accepted": 0, "duplicates": 50, "rejected": 0, "events": 0}
    assert (engine.store.head(), taken_in(engine)) == (head, 50)
    send(kafka, name, *mixed(10, 0)[0])
    assert caught_up(engine).counts["duplicates"] == 50
    assert engine.store.head() == head


def test_an_action_that_comes_twice_at_once_is_answered_in_its_place(
    engine: Engine, kafka: str, name: str
) -> None:
    """The first of the two is refused, so the second may be right: nothing that follows may overtake it."""
    register, contact, *_ = [encoded(one) for one in story("L-1")]
    send(kafka, name, *[(b"L-1", value) for value in (contact, register, contact, register)])
    topic = caught_up(engine)
    assert topic.counts == {"accepted": 2, "duplicates": 1, "rejected": 1, "events": topic.counts["events"]}
    assert recorded(engine) == ["L-1.1", "L-1.2"]


def test_a_dead_letter_is_as_it_came_and_says_why_and_from_where(
    engine: Engine, kafka: str, name: str
) -> None:
    headers = [("trace", b"\xff\x00"), ("trace", b"2"), ("dealtrail_code", b"forged")]
    huge = b"x" * (ingest.LINE_MAX + 1)
    send(kafka, name, (b"\xff", b"\xfe"), headers=headers, partition=2)
    send(kafka, name, (None, None), (b"", huge), partition=1)
    caught_up(engine)
    one, none, large = sorted(
        records(kafka, f"{name}.dead"), key=lambda letter: len(letter.value or b"x" * 100)
    )
    assert (one.key, one.value, one.headers[:3]) == (b"\xff", b"\xfe", headers)
    assert (none.key, none.value) == (None, None)
    assert (large.key, large.value) == (b"", huge)
    said = dict(one.headers[3:])
    assert (said["dealtrail_topic"], said["dealtrail_partition"], said["dealtrail_offset"]) == (
        name.encode(),
        b"2",
        b"0",
    )
    error = json.loads(said["dealtrail_error"])
    assert error == {
        "code": "malformed",
        "message": "This is not an action: byte 1 is not UTF-8.",
        "details": {"problem": "byte 1 is not UTF-8"},
    }
    assert (said["dealtrail_code"], said["dealtrail_message"]) == (b"malformed", error["message"].encode())
    assert dict(large.headers)["dealtrail_code"] == b"too_large"


def test_what_the_engine_fails_at_is_dead_and_stops_nothing(
    engine: Engine, kafka: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Activities.record_contact

    def failing(self: Any, desk: Any, data: Any) -> None:
        if desk.subject == "L-7":
            raise ZeroDivisionError("division by zero")
        record(self, desk, data)

    monkeypatch.setattr(Activities, "record_contact", failing)
    sent, _ = mixed(20, 0)
    send(kafka, name, *sent)
    assert caught_up(engine).counts["rejected"] == 1
    (letter,) = records(kafka, f"{name}.dead")
    assert letter.value == encoded(story("L-7")[1])
    assert dict(letter.headers)["dealtrail_code"] == b"engine_failed"
    assert b"ZeroDivisionError: division by zero" in dict(letter.headers)["dealtrail_message"]
    expected = {one["id"] for lead in leads_of(20) for one in story(lead)} - {"L-7.2"}
    assert sorted(recorded(engine)) == sorted(expected)


def test_a_zombie_records_nothing(engine: Engine, database_url: str, kafka: str, name: str) -> None:
    """It has decided a batch and hangs; somebody else takes the partitions over; then it goes on."""
    sent, bad = mixed(40, 0.1)
    send(kafka, name, *sent)
    decided, go_on = threading.Event(), threading.Event()

    class Hanging(Intake):
        def submit(self, *arguments: Any, **more: Any) -> list[Answer]:
            append = self._store.append

            def late(*units: Any) -> Any:
                decided.set()
                assert go_on.wait(60)
                return append(*units)

            self._store.append = late  # type: ignore[method-assign]
            return super().submit(*arguments, **more)

    with engine_on(database_url, kafka, name, DEALTRAIL_INGEST_GROUP=f"{name}.zombies") as other:
        intake = other.intake()
        intake.__class__ = Hanging
        zombie = other.actions_topic
        zombie._new_intake = lambda: intake if not go_on.is_set() else other.intake()
        stop = threading.Event()
        thread = threading.Thread(target=zombie.follow, args=(stop,))
        thread.start()
        assert decided.wait(60)
        caught_up(engine)
        head = engine.store.head()
        go_on.set()
        until(lambda: zombie._next != {} and sum(zombie._next.values()) == len(sent))
        stop.set()
        thread.join()
        assert zombie.counts["events"] == 0
    assert engine.store.head() == head
    assert_each_has_one_effect(engine, [*leads_of(40)])
    assert_all_rubbish_is_dead(engine, kafka, bad)


def test_an_action_that_conflicts_is_not_overtaken(
    engine: Engine, database_url: str, kafka: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else works on each lead between the decision and the append."""
    sent, _ = mixed(20, 0)
    send(kafka, name, *sent, partition=0)
    append = PostgresStore.append
    met: Counter[str] = Counter()

    with Database(database_url) as database:
        meddler = Engine(read_settings({}), database).intake()

        def meddling(self: PostgresStore, units: Any, bookmark: Any = None) -> Any:
            if self is meddled and bookmark is not None:
                for lead in {
                    stream for unit in units for stream in unit.expected if stream.startswith("lead-")
                }:
                    subject = lead.removeprefix("lead-")
                    if met[lead] < 2 and self.load([lead])[lead]:
                        met[lead] += 1
                        contact = story(subject)[1]
                        mine = {**contact, "id": f"{subject}-{met[lead]}", "source": "meddler"}
                        (answer,) = meddler.submit([Submission(mine)])
                        assert answer.error is None
            return append(self, units, bookmark)

        monkeypatch.setattr(PostgresStore, "append", meddling)
        monkeypatch.setattr(ingest, "BATCH", 40)
        taking = Engine(engine.settings, engine.database)
        meddled = taking.store
        taking.actions_topic.catch_up()
        taking.store.close()
    assert sum(met.values()) > 10
    assert recorded(engine) == [json.loads(value or b"")["id"] for _, value in sent]


def test_members_come_and_go_and_each_action_has_one_effect(
    engine: Engine, database_url: str, kafka: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BATCH", 50)
    monkeypatch.setitem(ingest.CONSUMER, "heartbeat_interval_ms", 300)
    sent, bad = mixed(400, 0.02)
    took: list[int] = []

    def member(stop: threading.Event) -> None:
        with engine_on(database_url, kafka, name) as mine:
            mine.actions_topic.follow(stop)
            took.append(mine.actions_topic.counts["accepted"])

    stops = [threading.Event() for _ in range(4)]
    threads = [threading.Thread(target=member, args=(stop,)) for stop in stops]
    parts = len(sent) // 4
    for number, thread in enumerate(threads):
        send(kafka, name, *sent[number * parts : (number + 1) * parts if number < 3 else None])
        thread.start()
        time.sleep(0.7)
        if number == 2:
            stops[0].set()
    until(lambda: taken_in(engine) == len(sent) and unsent(engine) == 0)
    for stop in stops:
        stop.set()
    for thread in threads:
        thread.join()
    assert sum(took) == 2000
    assert sum(count > 0 for count in took) >= 2
    assert_each_has_one_effect(engine, [*leads_of(400)])
    assert_all_rubbish_is_dead(engine, kafka, bad)


def test_letters_wait_in_the_database_while_the_topic_takes_none(
    engine: Engine, kafka: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: Any) -> int:
        raise KafkaError("not now")

    sent, bad = mixed(2, 0.5)
    send(kafka, name, *sent)
    with monkeypatch.context() as patched:
        patched.setattr(DeadLetters, "send", refusing)
        caught_up(engine)
    assert (unsent(engine), taken_in(engine)) == (bad.total(), len(sent))
    caught_up(engine)
    assert unsent(engine) == 0
    assert_all_rubbish_is_dead(engine, kafka, bad)


def test_what_was_refused_is_sent_again_and_may_be_right_then(engine: Engine, kafka: str, name: str) -> None:
    register, *rest = [encoded(one) for one in story("L-1")]
    headers = [("trace", b"1")]
    send(kafka, name, *[(b"other partition", value) for value in rest], headers=headers, partition=2)
    send(kafka, name, (b"L-1", b"rubbish"))
    caught_up(engine)
    send(kafka, name, (b"L-1", register))
    caught_up(engine)
    letters = engine.dead_letters
    assert letters.redrive(code="unknown_lead", limit=2) == 2
    assert letters.redrive(code="no_such_code") == 0
    assert caught_up(engine).counts["accepted"] == 2
    assert letters.redrive(code="unknown_deal") == 2
    assert caught_up(engine).counts["accepted"] == 2
    assert_each_has_one_effect(engine, ["L-1"])
    resent = [one for one in records(kafka, name) if one.partition == 2]
    assert [(one.key, one.value, one.headers) for one in resent] == [
        (b"other partition", value, headers) for value in [*rest, *rest]
    ]
    assert letters.redrive() == 1
    assert caught_up(engine).counts["rejected"] == 1
    assert letters.redrive() == 1


def test_old_letters_are_forgotten_once_they_are_sent(engine: Engine, kafka: str, name: str) -> None:
    send(kafka, name, (b"", b"one"), (b"", b"two"))
    caught_up(engine)
    with engine.database.connection() as connection:
        connection.execute("UPDATE ingest.dead_letter SET refused_at = now() - interval '31 days'")
        connection.execute("UPDATE ingest.dead_letter SET sent_at = NULL WHERE value = 'two'")
    assert engine.dead_letters.forget_old() == 1
    assert unsent(engine) == 1
    caught_up(engine)
    with engine.database.connection() as connection:
        assert connection.execute("SELECT FROM ingest.dead_letter").fetchall() == []
    assert [one.value for one in records(kafka, f"{name}.dead")] == [b"one", b"two", b"two"]


def test_records_that_kafka_deleted_before_they_were_taken_in_are_told_of(
    engine: Engine, kafka: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    send(kafka, name, *[(b"", encoded(one)) for one in story("L-1")], partition=0)
    caught_up(engine)
    send(kafka, name, *[(b"", encoded(one)) for one in story("L-2") + story("L-3")], partition=0)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_records({TopicPartition(name, 0): 10})
    caught_up(engine)
    assert "actions_lost" in (said := capsys.readouterr().err)
    assert "first=5" in said
    assert "last=9" in said
    assert_each_has_one_effect(engine, ["L-1", "L-3"])


def test_what_kafka_deleted_is_told_of_though_nothing_follows(
    engine: Engine, kafka: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    send(kafka, name, *[(b"", encoded(one)) for one in story("L-1")], partition=0)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_records({TopicPartition(name, 0): 5})
    caught_up(engine)
    assert capsys.readouterr().err.count("actions_lost") == 1


def test_a_topic_made_anew_while_it_is_read_is_read_from_its_beginning(
    engine: Engine, kafka: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It soon has more records than the old one had: they are not taken for what follows there."""
    monkeypatch.setattr(ingest, "PAUSE_SECONDS", 0.05)
    old, new = (
        mixed(10, 0)[0],
        [(b"L-1", encoded(action(f"n{n}", "lead.eat", "L-1", "rep-1"))) for n in range(200)],
    )
    send(kafka, name, *old)
    stop, topic = threading.Event(), engine.actions_topic
    thread = threading.Thread(target=topic.follow, args=(stop,))
    thread.start()
    until(lambda: topic.counts["accepted"] == len(old))
    poll = KafkaConsumer.poll
    still, go_on = threading.Event(), threading.Event()

    def waiting(self: Any, **how: Any) -> Any:
        still.set()
        assert go_on.wait(60)
        return poll(self, **how)

    with monkeypatch.context() as patched:
        patched.setattr(KafkaConsumer, "poll", waiting)
        assert still.wait(60)
        remake(kafka, name)
        with closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
            for key, value in new:
                producer.send(name, value, key)
            producer.flush()
        go_on.set()
    until(lambda: topic.counts["rejected"] == len(new))
    stop.set()
    thread.join()
    assert taken_in(engine) == len(old) + len(new)


def remake(kafka: str, name: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_topics([name])
        until(lambda: not admin.describe_topics([name])[0]["partitions"])
    topics.ensure(Cluster(kafka), name, 3, topics.ACTIONS)


def test_a_topic_made_anew_is_read_from_its_beginning(engine: Engine, kafka: str, name: str) -> None:
    send(kafka, name, (b"L-1", encoded(action("x", "lead.register", "L-1", "rep-1", keys={"external": "1"}))))
    caught_up(engine)
    remake(kafka, name)
    send(kafka, name, (b"L-2", encoded(action("y", "lead.register", "L-2", "rep-1", keys={"external": "2"}))))
    assert caught_up(engine).counts["accepted"] == 1
