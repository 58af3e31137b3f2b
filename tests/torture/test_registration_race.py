"""Sixteen processes race for the same customers: whoever recorded first has the right, and everyone knows."""

import multiprocessing
import random
from datetime import UTC, datetime
from typing import Any

from adapters.postgres.database import Database
from adapters.settings import read_settings
from adapters.wiring import Engine
from domain.leads.events import ClaimRefused, KeyBound, LeadClaimed
from services.intake import Submission

PROCESSES, REGISTRATIONS, KEYS, BATCH = 16, 10_000, 1_000, 5
EACH = REGISTRATIONS // PROCESSES
NOW = datetime.now(UTC).isoformat()


def _action(type: str, id: str, subject: str, actor: str, data: dict[str, Any]) -> Submission:
    return Submission(
        {
            "specversion": "1.0",
            "id": id,
            "source": "race",
            "type": type,
            "subject": subject,
            "time": NOW,
            "actor": actor,
            "data": data,
        }
    )


def _registration(racer: int, number: int, chance: random.Random) -> Submission:
    first, second = chance.sample(range(KEYS), 2)
    keys = {"phone": f"+79160{first:06d}"}
    if chance.random() < 0.3:
        keys["email"] = f"customer{second}@example.com"
    return _action(
        "lead.register", f"{racer}/{number}", f"L-{racer}-{number}", f"rep-{racer}", {"keys": keys}
    )


def _race(url: str, racer: int, start: Any, results: Any) -> None:
    with Database(url) as database:
        intake = Engine(read_settings({}), database).intake()
        chance = random.Random(racer)
        registrations = [_registration(racer, number, chance) for number in range(EACH)]
        start.wait()
        told = []
        for begin in range(0, EACH, BATCH):
            batch = registrations[begin : begin + BATCH]
            answers = intake.submit(batch)
            told += [(one.raw["id"], answer.as_json()) for one, answer in zip(batch, answers, strict=True)]
        results.put((racer, told))


def test_one_owner_for_every_key_and_every_loser_knows_who(database_url: str) -> None:
    with Database(database_url) as database:
        intake = Engine(read_settings({}), database).intake()
        hires = [
            _action("rep.hire", f"hire-{racer}", f"rep-{racer}", "admin:race", {"name": f"Rep {racer}"})
            for racer in range(PROCESSES)
        ]
        assert not any(answer.error for answer in intake.submit(hires))

    answers = _run(database_url)

    with Database(database_url) as database:
        store = Engine(read_settings({}), database).store
        facts = [fact for page in store.read(0) for fact in page]
    assert [fact.position for fact in facts] == list(range(1, len(facts) + 1))
    bound = [fact for fact in facts if isinstance(fact.event, KeyBound)]
    assert len({fact.stream for fact in bound}) == len(bound), "a key was bound twice"
    assert len(bound) > KEYS * 0.9
    owner_of = {fact.entity: fact.event.rep for fact in facts if isinstance(fact.event, LeadClaimed)}
    since = {fact.entity: fact.recorded_at for fact in facts if isinstance(fact.event, LeadClaimed)}
    refused = {fact.action: fact for fact in facts if isinstance(fact.event, ClaimRefused)}
    recorded = {fact.action for fact in facts if fact.source == "race"}
    assert len(answers) == PROCESSES * EACH

    losers = 0
    for action, answer in answers.items():
        rep = f"rep-{action.split('/')[0]}"
        if "error" not in answer:
            assert owner_of[answer["lead"]] == rep
            assert action in recorded
        elif answer["error"]["code"] == "lead_already_claimed":
            losers += 1
            details = answer["error"]["details"]
            assert details["owner"] == owner_of[details["lead"]] != rep
            assert datetime.fromisoformat(details["since"]) == since[details["lead"]]
            assert action in refused, "an attempt must be kept for the dispute"
        else:
            assert answer["error"]["code"] == "keys_of_two_leads"
    assert losers > REGISTRATIONS * 0.7


def _run(database_url: str) -> dict[str, dict[str, Any]]:
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(PROCESSES), context.Queue()
    racers = [
        context.Process(target=_race, args=(database_url, racer, start, results))
        for racer in range(PROCESSES)
    ]
    for racer in racers:
        racer.start()
    told = [results.get(timeout=300) for _ in racers]
    for racer in racers:
        racer.join(timeout=30)
        assert racer.exitcode == 0
    return {action: answer for _, batch in told for action, answer in batch}
