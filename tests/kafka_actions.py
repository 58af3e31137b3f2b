"""Actions for Kafka that depend on each other's order, and rubbish among them; and what must come of it."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from kafka_records import records

from adapters.kafka.ingest import ActionsTopic
from adapters.postgres.database import Database
from adapters.settings import read_settings
from adapters.wiring import Engine
from services.intake import Submission

SOURCE = "shop"
REPS = [f"rep-{number}" for number in range(5)]
Sent = tuple[bytes | None, bytes | None]
"""Key and value."""


@contextmanager
def engine_on(url: str, kafka: str, name: str, **more: str) -> Iterator[Engine]:
    """One of several over the same database and topics."""
    given = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DEALTRAIL_ACTIONS_TOPIC": name,
        "DEALTRAIL_DEAD_LETTERS_TOPIC": f"{name}.dead",
        "DEALTRAIL_INGEST_GROUP": name,
        "DEALTRAIL_PARTITIONS": "3",
    }
    with Database(url) as database:
        made = Engine(read_settings({**given, **more}), database)
        yield made
        made.store.close()


def action(id: str, type: str, subject: str | None, actor: str, **data: Any) -> dict[str, Any]:
    """As the contract has it."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": type,
        "subject": subject,
        "time": "2026-02-01T09:00:00Z",
        "actor": actor,
        "data": data,
    }


def found(engine: Engine) -> None:
    """The team and the pipeline, which must be there before."""
    stages = [{"name": name, "probability": "0.5", "days": 30} for name in ("new", "offer")]
    given = [action("p", "pipeline.define", "sales", "admin:ada", stages=stages, loss_reasons=["price"])]
    given += [action(rep, "rep.hire", rep, "admin:ada", name=rep) for rep in REPS]
    answers = engine.intake().submit([Submission({**one, "source": "office"}) for one in given])
    assert all(answer.error is None for answer in answers)


def story(lead: str) -> list[dict[str, Any]]:
    """Five actions about a lead: each is refused if the one before it isn't there."""
    rep, deal = REPS[crc32(lead.encode()) % len(REPS)], f"D-{lead}"
    told = [
        ("lead.register", lead, {"keys": {"external": lead}, "name": "Ann"}),
        ("contact.record", lead, {"kind": "call", "direction": "out", "outcome": "reached"}),
        ("deal.open", deal, {"lead": lead, "pipeline": "sales"}),
        ("deal.move", deal, {"stage": "offer"}),
        ("deal.win", deal, {"amount": "100.00", "currency": "USD"}),
    ]
    return [
        action(f"{lead}.{number}", type_, subject, rep, **data)
        for number, (type_, subject, data) in enumerate(told, 1)
    ]


def encoded(one: dict[str, Any]) -> bytes:
    return json.dumps(one).encode()


def rubbish(number: int) -> tuple[str, bytes | None]:
    """A code that it must be refused with, and what is refused; each number other bytes."""
    lead = f"nobody-{number}"
    good = action(f"r-{number}", "lead.claim", lead, "rep-1")
    tails = b"%d" % number
    kinds: list[tuple[str, bytes | None]] = [
        ("malformed", b"not JSON " + tails),
        ("malformed", b'{"id": "\xff\xfe", "n": ' + tails + b"}"),
        ("malformed", b""),
        ("malformed", None),
        ("malformed", b"[" + tails + b"]"),
        ("malformed", b"[" * 5000 + tails),
        ("malformed", encoded({**good, "note": "\0"})),
        ("unknown_type", encoded({**good, "type": "lead.eat"})),
        ("invalid_data", encoded({**good, "specversion": "0.3"})),
        ("invalid_data", encoded({**good, "id": None})),
        ("naive_time", encoded({**good, "time": "2026-02-01T09:00:00"})),
        ("future_time", encoded({**good, "time": "2096-02-01T09:00:00Z"})),
        ("unknown_lead", encoded(good)),
        ("unknown_rep", encoded({**good, "actor": "nobody"})),
    ]
    return kinds[number % len(kinds)]


def mixed(leads: int, share: float, seed: int = 1) -> tuple[list[Sent], Counter[tuple[str, bytes | None]]]:
    """Stories interleaved, each in its own order, keyed by lead; and rubbish among them, with its codes."""
    chance = random.Random(seed)
    waiting = [iter(story(f"L-{number}")) for number in range(leads)]
    sent: list[Sent] = []
    bad: Counter[tuple[str, bytes | None]] = Counter()
    at_once, waiting = waiting[:50], waiting[50:]
    while at_once:
        telling = chance.choice(at_once)
        one = next(telling, None)
        if one is None:
            at_once.remove(telling)
            at_once += [waiting.pop()] if waiting else []
            continue
        sent.append((one["id"].split(".")[0].encode(), encoded(one)))
        while chance.random() < share:
            code, value = rubbish(chance.randrange(10**6))
            bad[code, value] += 1
            sent.append((chance.choice([None, b"any", b"L-1"]), value))
    return sent, bad


def recorded(engine: Engine) -> list[str]:
    """Ids of the actions that came from Kafka, in the log's order, each as often as it is there."""
    with engine.database.connection() as connection:
        rows = connection.execute(
            "SELECT action_id FROM log.event WHERE action_source = %s AND action_seq = 0"
            " ORDER BY notification_id",
            (SOURCE,),
        ).fetchall()
    return [id_ for (id_,) in rows]


def assert_each_has_one_effect(engine: Engine, leads: Sequence[str]) -> None:
    """All five of each lead's story are in the log, once, in their order, and nothing else."""
    told: dict[str, list[str]] = {}
    for id_ in recorded(engine):
        told.setdefault(id_.split(".")[0], []).append(id_)
    assert told.keys() == set(leads)
    assert [lead for lead in leads if told[lead] != [one["id"] for one in story(lead)]] == []


def assert_all_rubbish_is_dead(
    engine: Engine, kafka: str, bad: Counter[tuple[str, bytes | None]], *, repeats: bool = False
) -> None:
    """Each is in the topic with its error, from where it came: the bytes as they were."""
    letters = records(kafka, engine.settings.dead_letters_topic)
    by_origin = {}
    for letter in letters:
        said = dict(letter.headers)
        by_origin[said["dealtrail_partition"], said["dealtrail_offset"]] = letter
    assert repeats or len(by_origin) == len(letters)
    assert (
        Counter(
            (json.loads(dict(one.headers)["dealtrail_error"])["code"], one.value)
            for one in by_origin.values()
        )
        == bad
    )
    came = {
        (b"%d" % one.partition, b"%d" % one.offset): (one.key, one.value)
        for one in records(kafka, engine.settings.actions_topic)
    }
    assert all((one.key, one.value) == came[origin] for origin, one in by_origin.items())


def caught_up(engine: Engine) -> ActionsTopic:
    """Another member of the group, which took in what was there."""
    topic = Engine(engine.settings, engine.database).actions_topic
    topic.catch_up()
    return topic


def unsent(engine: Engine) -> int:
    """Dead letters that the topic hasn't got yet."""
    with engine.database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM ingest.dead_letter WHERE sent_at IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def taken_in(engine: Engine) -> int:
    """How many records are behind the bookmarks."""
    with engine.database.connection() as connection:
        row = connection.execute("SELECT coalesce(sum(next_offset), 0) FROM ingest.progress").fetchone()
    assert row is not None
    return int(row[0])


def leads_of(number: int) -> Iterator[str]:
    return (f"L-{each}" for each in range(number))
