"""Five percent of the sample data's wins: the same figures whenever its months are closed."""

import csv
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from click.testing import CliRunner

from adapters.cli.import_ import ImportRequest, line_max_of, run_import
from adapters.cli.main import cli
from adapters.importers.submission import Submitter
from adapters.postgres.embedded import Embedded
from domain.shared.periods import Period
from services.answers import Answer
from services.intake import Submission

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "maven_crm"
MAPPING = str(ROOT / "docs" / "examples" / "maven_crm.toml")
MONTHS = [str(Period(2016 * 12 + 9 + month)) for month in range(15)]
PLAN = {"name": "Five percent", "currency": "USD", "basis": "won", "rate": "5"}
Told = dict[str, Any]
Ask = Callable[..., Told]

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the sample data is not here")


class Collecting:
    """Keeps the actions of an import instead of recording them."""

    def __init__(self) -> None:
        self.actions: list[Mapping[str, Any]] = []

    def submit(self, submissions: Sequence[Submission], *, migration: bool = False) -> list[Answer]:
        self.actions += [one.raw for one in submissions if isinstance(one.raw, Mapping)]
        return [Answer() for _ in submissions]


def actions(folder: Path) -> list[Told]:
    """What the export says, in the order of recording."""
    collecting = Collecting()

    @contextmanager
    def submitter() -> Iterator[Submitter]:
        yield collecting

    request = ImportRequest(
        files=[str(DATA)],
        mapping=MAPPING,
        migration=True,
        rejects=str(folder / "none"),
        as_json=True,
        timezone=ZoneInfo("UTC"),
        line_max=line_max_of(),
    )
    assert run_import(request, submitter) == 0
    return [dict(action) for action in collecting.actions]


def planning(reps: Sequence[str], **said: str) -> list[Told]:
    """The plan, and everybody on it."""
    published = action("plan.publish", "five", PLAN, **said)
    assigned = {"plan": "five", "from": "2016-01-01"}
    return [published, *(action("plan.assign", rep, assigned, **said) for rep in reps)]


def action(kind: str, subject: str, data: object, **said: str) -> Told:
    return {
        "specversion": "1.0",
        "id": f"{kind}-{subject}",
        "source": "test",
        "type": kind,
        "subject": subject,
        "time": "2016-10-01T00:00:00Z",
        "actor": "admin:eve",
        "data": data,
    } | said


def with_closes(told: Sequence[Told]) -> Iterator[Told]:
    """Each month is closed three days after its end, amid what was recorded then."""
    hired = [one["subject"] for one in told if one["type"] == "rep.hire"]
    waiting = [(Period.parse(month).end(ZoneInfo("UTC")) + timedelta(days=3), month) for month in MONTHS]
    planned = False
    for one in told:
        recorded = one.get("recordedtime", one["time"])
        while waiting and waiting[0][0] <= datetime.fromisoformat(recorded):
            yield closing(*waiting.pop(0))
        if not planned and one["type"] not in ("pipeline.define", "rep.hire"):
            yield from planning(hired, recordedtime=recorded)
            planned = True
        yield one | {"recordedtime": recorded}
    for moment, month in waiting:
        yield closing(moment, month)


def closing(moment: datetime, month: str) -> Told:
    at = moment.isoformat()
    return action("period.close", month, {}, time=at, recordedtime=at, actor="payroll:kim")


@pytest.fixture(scope="module", params=["closed at the end", "closed month by month"])
def ask(
    server: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Ask]:
    """Asks payroll of the imported data; gives its JSON."""
    name, folder = f"maven_payroll_{os.getpid()}", tmp_path_factory.mktemp("maven")
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    environment = {"DATABASE_URL": server.url(name), "DEALTRAIL_TIMEZONE": "UTC"}

    def told(*words: str) -> Told:
        done = CliRunner().invoke(cli, words, env=environment)
        assert done.exit_code == 0, done.output
        found: Told = json.loads(done.stdout)
        return found

    def take_in(lines: Iterator[Told] | Sequence[Told], *flags: str) -> None:
        file = folder / "actions.ndjson"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        rejects = str(folder / "rejects")
        assert told("import", str(file), "--rejects", rejects, "--json", *flags)["rejected"] == 0

    whole = actions(folder)
    if request.param == "closed month by month":
        take_in(with_closes(whole), "--migration")
    else:
        rejects = str(folder / "rejects")
        told("import", str(DATA), "--mapping", MAPPING, "--migration", "--rejects", rejects, "--json")
        take_in(planning([one["subject"] for one in whole if one["type"] == "rep.hire"]))
        for month in MONTHS:
            assert told("payroll", "close", month, "--json")["statements"] == 41
    yield lambda *words: told("payroll", *words, "--json")
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def by_hand() -> dict[tuple[str, str], Decimal]:
    """Five percent of each win, by the month of its close and the agent, from the export itself."""
    paid: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with (DATA / "sales_pipeline.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["deal_stage"] == "Won":
                commission = (Decimal(row["close_value"]) * 5 / 100).quantize(Decimal("0.01"))
                paid[row["close_date"][:7], row["sales_agent"]] += commission
    return dict(paid)


def test_every_month_pays_what_the_export_says(ask: Ask) -> None:
    expected = by_hand()
    paid: dict[tuple[str, str], Decimal] = {}
    for month in MONTHS:
        found = ask("statements", "--period", month)
        assert found["closed"]
        own = {(month, one["rep"]): Decimal(one["total"]) for one in found["statements"] if one["lines"]}
        paid |= own
        assert found["totals"] == {"USD": str(sum(own.values(), Decimal("0.00")))}
        kinds = {line["kind"] for one in found["statements"] for line in one["lines"]}
        assert kinds <= {"win"}
    assert paid == expected
    assert sum(paid.values()) == Decimal("500276.70")
    darcels = sum(amount for (_, rep), amount in paid.items() if rep == "Darcel Schlecht")
    assert darcels == Decimal("57660.70")


def test_the_statements_are_what_the_log_gives(ask: Ask) -> None:
    found = ask("verify")
    assert (found["periods"], found["statements"], found["count"]) == (MONTHS, 15 * 41, 0)
    assert ask("exceptions")["count"] == 0


def test_a_draft_beside_what_was_paid(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "seven.toml"
    file.write_text('name = "Seven"\ncurrency = "USD"\nbasis = "won"\nrate = "7"\n')
    found = ask("simulate", "--plan", str(file), "--from", "2017-01", "--to", "2017-12")
    (darcel,) = (one for one in found["items"] if one["rep"] == "Darcel Schlecht")
    assert (darcel["paid"], darcel["earned"], darcel["simulated"]) == ("57660.70", "57660.70", "80724.98")
    assert sum(Decimal(one["simulated"]) for one in found["items"]) == Decimal("700387.38")
