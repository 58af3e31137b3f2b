"""OCEL and XES: read by pm4py, held to the standard's rules, and counted against SQL over the log."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pm4py  # type: ignore[import-untyped]
import psycopg
import pytest
from payday import Payday
from pm4py.objects.ocel.validation import ocel20_rel_validation  # type: ignore[import-untyped]
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from adapters.demo.generator import generate
from adapters.export.files import export
from adapters.postgres.database import Database
from services.intake import Submission

PERSONAL = "Zacharias Quine"
END = datetime(2026, 1, 5, tzinfo=UTC)

OBJECTS = """
SELECT 'lead', count(DISTINCT stream) FROM log.events WHERE name = 'leads.LeadRegistered'
UNION ALL SELECT 'deal', count(DISTINCT stream) FROM log.events WHERE name = 'deals.DealOpened'
UNION ALL SELECT 'rep', count(DISTINCT stream) FROM log.events WHERE name = 'team.RepHired'
UNION ALL SELECT 'task', count(DISTINCT (stream, data ->> 'task')) FROM log.events
    WHERE name = 'activities.TaskPlanned'
UNION ALL SELECT 'payment', count(DISTINCT stream) FROM log.events
    WHERE name IN ('payments.PaymentRecorded', 'payments.RefundRecorded')
UNION ALL SELECT 'period', count(DISTINCT stream) FROM log.events WHERE name = 'payroll.PeriodClosed'
"""
# pm4py drops events that no object has a part in: definitions of pipelines and plans, rates and costs.
ABOUT_OBJECTS = """
SELECT name, count(*) FROM log.events
WHERE split_part(stream, '-', 1) NOT IN ('pipeline', 'plan', 'rate', 'cost')
    OR actor !~ '^(service|payroll|admin):.'
GROUP BY name
"""
VARIANTS = """
WITH e AS MATERIALIZED (SELECT position, stream, version, name, occurred_at, data FROM log.events),
task AS (SELECT * FROM e WHERE name = 'activities.TaskPlanned'),
paid AS (SELECT * FROM e WHERE stream LIKE 'payment-%'),
about (position, deal) AS (
    SELECT position, substr(stream, 6) FROM e WHERE stream LIKE 'deal-%'
    UNION SELECT position, data ->> 'deal' FROM e WHERE stream NOT LIKE 'lead-%' AND data ? 'deal'
    UNION SELECT position, (
        SELECT data ->> 'deal' FROM task
        WHERE task.stream = e.stream AND task.data ->> 'task' = e.data ->> 'task'
            AND task.version <= e.version
        ORDER BY version DESC LIMIT 1)
    FROM e WHERE stream LIKE 'activity-%' AND data ? 'task'
    UNION SELECT position, (
        SELECT data ->> 'deal' FROM paid AS p
        WHERE p.stream = paid.stream AND p.version <= paid.version AND p.data ->> 'deal' IS NOT NULL
        ORDER BY p.name = 'payments.PaymentMatched' DESC, p.name = 'payments.PaymentRecorded' DESC,
            CASE WHEN p.name = 'payments.PaymentMatched' THEN -p.version ELSE p.version END LIMIT 1)
    FROM paid
)
SELECT array_agg(e.name ORDER BY e.occurred_at, e.position) FROM about JOIN e USING (position)
WHERE 'deal-' || deal IN (SELECT stream FROM e WHERE name = 'deals.DealOpened') GROUP BY deal
"""
STANDING = "SELECT deal, status, stage, amount, currency FROM read.deal"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Column(Strict):
    name: str
    type: Literal["string", "time", "integer", "boolean", "float"]


class Kind(Strict):
    name: str
    attributes: list[Column]


class Value(Strict):
    name: str
    value: str


class TimedValue(Value):
    time: AwareDatetime = Field(strict=False)


class Relation(Strict):
    objectId: str  # noqa: N815 - the standard's own name
    qualifier: str


class Happened(Strict):
    id: str
    type: str
    time: AwareDatetime = Field(strict=False)
    attributes: list[Value]
    relationships: list[Relation]


class Thing(Strict):
    id: str
    type: str
    attributes: list[TimedValue]
    relationships: list[Relation]


class Ocel(Strict):
    """The standard's JSON schema, all of whose optional lists we always write. Values are strings there."""

    eventTypes: list[Kind]  # noqa: N815
    objectTypes: list[Kind]  # noqa: N815
    events: list[Happened]
    objects: list[Thing]


@pytest.fixture(scope="module")
def company(module_database_url: str) -> Iterator[Payday]:
    """The demo's, and what it lacks: money without a deal, matched later, and a customer with a name."""
    payday = Payday(module_database_url)
    actions = [Submission(action) for action in generate(5, 60, END)]
    assert all(answer.error is None or "owner" in str(answer.error) for answer in _import(payday, actions))
    payday.founded("ann").win("D<&>\"'1", "1000")
    payday.do("payment.record", None, {"payment": "P/1", "amount": "70", "currency": "USD"})
    payday.do("payment.match", "P/1", {"deal": "D<&>\"'1"})
    payday.do("payment.record", "D-nobody", {"payment": "P/2", "amount": "7", "currency": "USD"})
    named = {"keys": {"external": "z"}, "name": PERSONAL, "owner": "ann"}
    payday.do("lead.register", "L-Z", named)
    contact = {"kind": "call", "direction": "in", "outcome": "reached", "note": PERSONAL}
    payday.do("contact.record", "L-Z", contact, actor="ann")
    yield payday
    payday.close_database()


def _import(payday: Payday, actions: list[Submission]) -> list[Any]:
    return payday.intake.submit(actions, migration=True)


@pytest.fixture(scope="module")
def folder(company: Payday, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    with Database(company.database.url) as database:
        export(database, folder, ("ocel-json", "ocel-sqlite", "xes"), company.store.head())
    return folder


def ask(company: Payday, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(company.database.url) as connection:
        return connection.execute(query.encode()).fetchall()


def sqlite(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "ocel.sqlite")) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("form", ["sqlite", "json"])
def test_pm4py_counts_the_events_and_objects_that_the_log_has(
    form: str, company: Payday, folder: Path
) -> None:
    read = pm4py.read_ocel2_sqlite if form == "sqlite" else pm4py.read_ocel2_json
    ocel = read(str(folder / f"ocel.{form}"))
    events = dict(ask(company, ABOUT_OBJECTS))
    assert len(events) > 15
    assert ocel.events["ocel:activity"].value_counts().to_dict() == events
    objects = dict(ask(company, OBJECTS))
    assert all(count > 1 for kind, count in objects.items() if kind != "period")
    assert ocel.objects["ocel:type"].value_counts().to_dict() == objects


def test_pm4py_reads_a_trace_for_each_deal_and_finds_the_same_variants(company: Payday, folder: Path) -> None:
    log = pm4py.read_xes(str(folder / "deals.xes"), variant="iterparse")
    variants = Counter(tuple(names) for (names,) in ask(company, VARIANTS))
    assert len(variants) > 10
    assert pm4py.get_variants(log) == dict(variants)
    deals = {
        stream[5:]
        for (stream,) in ask(company, "SELECT DISTINCT stream FROM log.events")
        if "deal-" in stream
    }
    assert set(log["case:concept:name"]) == deals


def test_pm4py_finds_every_rule_of_the_relational_format_kept(folder: Path) -> None:
    kept, broken = ocel20_rel_validation.apply(str(folder / "ocel.sqlite"))
    assert (len(kept) > 20, broken) == (True, [])
    assert sqlite(folder, "PRAGMA foreign_key_check") == []
    assert sqlite(folder, "PRAGMA integrity_check") == [("ok",)]


def test_the_json_is_as_the_standards_schema_says_and_as_the_tables(company: Payday, folder: Path) -> None:
    ocel = Ocel.model_validate_json((folder / "ocel.json").read_bytes())
    assert [one.id for one in ocel.events] == [
        str(position) for position in range(1, company.store.head() + 1)
    ]
    assert {one.name for one in ocel.eventTypes} == {one.type for one in ocel.events}
    things = {one.id for one in ocel.objects}
    assert len(things) == len(ocel.objects)
    assert {
        related.objectId for one in (*ocel.events, *ocel.objects) for related in one.relationships
    } <= things
    related = [(one.id, two.objectId, two.qualifier) for one in ocel.events for two in one.relationships]
    assert related == sqlite(folder, "SELECT * FROM event_object ORDER BY rowid")
    bound = [(one.id, two.objectId, two.qualifier) for one in ocel.objects for two in one.relationships]
    assert sorted(bound) == sorted(sqlite(folder, "SELECT * FROM object_object"))
    told = [value for one in ocel.objects if one.type == "deal" for value in one.attributes]
    changed = sqlite(folder, "SELECT count(*) FROM object_deal WHERE ocel_changed_field IS NOT NULL")
    assert sum(value.time.year > 1970 for value in told) == changed[0][0]


def test_the_last_change_of_each_attribute_is_what_the_reports_say(company: Payday, folder: Path) -> None:
    company.projector.catch_up()
    found: dict[str, dict[str, Any]] = {}
    rows = (
        "SELECT ocel_id, ocel_changed_field, status, stage, amount, currency FROM object_deal ORDER BY rowid"
    )
    for name, field, *values in sqlite(folder, rows):
        news = dict(zip(("status", "stage", "amount", "currency"), values, strict=True))
        found.setdefault(name.removeprefix("deal-"), dict.fromkeys(news)).update({field: news.get(field)})
    standing = {
        deal: {"status": status, "stage": stage, "amount": amount and str(amount), "currency": currency}
        for deal, status, stage, amount, currency in ask(company, STANDING)
    }
    assert {deal: {key: news[key] for key in standing[deal]} for deal, news in found.items()} == standing


def test_no_file_for_mining_says_who_a_customer_is(company: Payday, folder: Path) -> None:
    assert sum(PERSONAL in repr(fact.event) for fact in company.facts()) == 2
    texts = [path.read_bytes() for path in folder.iterdir()]
    assert len(texts) == 3
    assert [text for text in texts if PERSONAL.encode() in text or b"+49" in text] == []


def test_an_empty_log_is_a_valid_one(database_url: str, tmp_path: Path) -> None:
    with Database(database_url) as database:
        export(database, tmp_path, ("ocel-json", "ocel-sqlite", "xes"), 0)
    ocel = Ocel.model_validate(json.loads((tmp_path / "ocel.json").read_text()))
    assert (ocel.events, ocel.objects, ocel.eventTypes, len(ocel.objectTypes)) == ([], [], [], 6)
    assert ocel20_rel_validation.apply(str(tmp_path / "ocel.sqlite"))[1] == []
    assert "<trace>" not in (tmp_path / "deals.xes").read_text()
