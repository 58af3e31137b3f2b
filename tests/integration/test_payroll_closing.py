"""Periods closed through the intake: in order, once, after their end, each action with one effect."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from payday import ADMIN, PAYROLL, Payday, moment

from adapters.cli.main import cli
from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.as_of import AsOf
from domain.shared.repeated import NothingChanged
from projections.payroll.statements import disputes, periods

Opening = Callable[..., Payday]


@pytest.fixture
def payday(database_url: str) -> Iterator[Opening]:
    opened = []

    def open_one(**said: str) -> Payday:
        opened.append(Payday(database_url, **said))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close_database()


def test_a_close_pays_what_the_log_says_up_to_it(payday: Opening) -> None:
    company = payday().founded().win("D-1", "1000").win("D-2", "70.10", rep="bob")
    cutoff = company.store.head()
    answer = company.on("2026-10-01T00:00:00Z").close("2026-09")
    # Each of three employed reps has a statement, the head's is empty.
    assert len(answer.positions) == 4
    closed = company.closed()["2026-09"]
    assert (closed.cutoff_position, closed.timezone, closed.statements) == (cutoff, "UTC", 3)
    assert closed.totals == {"USD": Decimal("53.50")}  # Half-even: 70.10 at 5 % is 3.505, so 3.50.
    assert company.lines("2026-09/ann") == [("win", "D-1", "2026-09", "50.00")]
    assert company.lines("2026-09/bob") == [("win", "D-2", "2026-09", "3.50")]
    assert company.lines("2026-09/head") == []


def test_periods_close_in_order_once_and_after_their_end(payday: Opening) -> None:
    company = payday().founded().win("D-1", "1000")
    company.on("2026-09-30T23:59:59.999999Z")
    assert company.refuse("period.close", "2026-09", actor=PAYROLL)["code"] == "period_not_ended"
    company.on("2026-11-30T12:00:00Z")
    refused = company.refuse("period.close", "2026-10", actor=PAYROLL)
    assert (refused["code"], refused["details"]["next"]) == ("period_order", "2026-09")
    assert company.refuse("period.close", "2026-08", actor=PAYROLL)["details"]["next"] == "2026-09"
    assert company.refuse("period.close", "2026-11", actor=PAYROLL)["code"] == "period_not_ended"
    company.close("2026-09")
    company.close("2026-10", actor=ADMIN)
    assert company.refuse("period.close", "2026-12", actor=PAYROLL)["code"] == "period_not_ended"
    again = company.refuse("period.close", "2026-09", actor=PAYROLL)
    assert again["code"] == "period_closed"
    assert again["details"]["cutoff_position"] == company.closed()["2026-09"].cutoff_position
    assert again["details"]["closed_at"].startswith("2026-11-30T12:00:00")
    assert sorted(company.closed()) == ["2026-09", "2026-10"]


@pytest.mark.parametrize(
    ("month", "before", "end"),
    [
        ("2026-10", "2026-10-31T22:59:59.999999Z", "2026-10-31T23:00:00Z"),
        ("2026-03", "2026-03-31T21:59:59.999999Z", "2026-03-31T22:00:00Z"),
    ],
)
def test_a_period_ends_by_the_companys_clocks(payday: Opening, month: str, before: str, end: str) -> None:
    company = payday(zone="Europe/Berlin", now=f"{month}-05T10:00:00Z").founded()
    company.on(before).win("D-1", "100")
    assert company.refuse("period.close", month, actor=PAYROLL)["code"] == "period_not_ended"
    company.on(end).win("D-2", "200").close(month)
    assert company.lines(f"{month}/ann") == [("win", "D-1", month, "5.00")]
    assert company.closed()[month].timezone == "Europe/Berlin"


def test_the_first_period_is_by_the_companys_clocks_too(payday: Opening) -> None:
    company = payday(zone="Europe/Berlin", now="2026-09-30T22:30:00Z").founded()
    company.on("2026-12-01T00:00:00Z")
    assert company.refuse("period.close", "2026-09", actor=PAYROLL)["details"]["next"] == "2026-10"
    company.close("2026-10")


def test_the_time_zone_of_the_first_close_stays(payday: Opening) -> None:
    payday(zone="Europe/Berlin").founded().on("2026-10-01T00:00:00Z").close("2026-09")
    moved = payday(zone="UTC", now="2026-12-01T00:00:00Z", name="moved")
    refused = moved.refuse("period.close", "2026-10", actor=PAYROLL)
    assert (refused["code"], refused["details"]) == (
        "timezone_changed",
        {"recorded": "Europe/Berlin", "timezone": "UTC"},
    )
    back = payday(zone="Europe/Berlin", now="2026-12-01T00:00:00Z", name="back")
    back.close("2026-10")


def test_who_may_close_and_what_is_a_period(payday: Opening) -> None:
    company = payday()
    assert company.refuse("period.close", "2026-09", actor=PAYROLL)["code"] == "nothing_recorded"
    company.founded().on("2026-10-01T00:00:00Z")
    for actor in ("ann", "head", "service:crm"):
        assert company.refuse("period.close", "2026-09", actor=actor)["code"] == "not_entitled"
    for subject in ("2026-13", "september", "2026-9", "0000-01", "2026-09 "):
        refused = company.refuse("period.close", subject, actor=PAYROLL)
        assert (refused["code"], refused["details"]["field"]) == ("invalid_data", "subject")
    assert company.refuse("period.close", "9999-12", actor=PAYROLL)["code"] == "period_not_ended"
    assert company.closed() == {}


def test_sent_twice_it_has_one_effect_and_the_second_answer_equals_the_first(payday: Opening) -> None:
    company = payday().founded(*(f"rep-{number}" for number in range(40))).win("D-1", "10", rep="rep-7")
    closing = company.on("2026-10-01T00:00:00Z").closing("2026-09")
    (first,) = company.accept(closing)
    head = company.store.head()
    assert len(first.positions) == 42
    for intake in (company.intake, company.desk()):
        company.intake = intake
        (again,) = company.accept(closing)
        assert (again.as_json(), again.duplicate) == (first.as_json(), True)
    twice = company.accept(
        company.action(
            "cost.record",
            "site",
            {"amount": "5", "currency": "USD", "from": "2026-09-01", "to": "2026-09-30"},
        ),
        closing,
        closing,
    )
    assert [answer.as_json() for answer in twice[1:]] == [first.as_json()] * 2
    assert company.store.head() == head + 1


def test_who_remembers_an_open_period_learns_that_it_was_closed(payday: Opening) -> None:
    company = payday().founded()
    forgetful, other = company.desk(), company.intake
    company.intake = forgetful
    for month in ("2026-09", "2026-10"):
        assert company.refuse("period.close", month, actor=PAYROLL)["code"] == "period_not_ended"
    company.intake = other
    company.on("2026-11-02T00:00:00Z").close("2026-09")
    company.intake = forgetful
    assert company.refuse("period.close", "2026-09", actor=PAYROLL)["code"] == "period_closed"
    company.close("2026-10")
    company.intake = other
    assert company.refuse("period.close", "2026-10", actor=PAYROLL)["code"] == "period_closed"


def test_a_rep_of_any_name_is_paid_and_may_dispute(payday: Opening) -> None:
    names = ["a/b", "2026-11", 'Ольга \\ "O\'Neil"\t2', "r" * 180]
    company = payday().founded(*names)
    for number, rep in enumerate(names):
        company.win(f"D-{number}", "100", rep=rep)
    company.on("2026-11-02T00:00:00Z").close("2026-09")
    company.close("2026-10")
    for rep in names:
        assert [line[1] for line in company.lines(f"2026-09/{rep}")] == [f"D-{names.index(rep)}"]
        disputed = {"line": f"2026-09/{rep}/1", "reason": "x"}
        company.do("statement.dispute", f"2026-09/{rep}", disputed, actor=rep)
    assert [one.rep for one in company.ask(disputes)] == names
    assert {one.line for one in company.ask(disputes)} == {f"2026-09/{rep}/1" for rep in names}


def test_deals_right_before_it_in_one_batch_are_paid_and_those_behind_it_later(payday: Opening) -> None:
    company = payday().founded().on("2026-11-02T00:00:00Z")
    september = {"time": "2026-09-20T12:00:00Z"}
    company.accept(
        *company.winning("D-1", "100", **september),
        company.closing("2026-09"),
        *company.winning("D-2", "200", **september),
        company.closing("2026-10"),
        *company.winning("D-3", "400", **september),
    )
    assert company.lines("2026-09/ann") == [("win", "D-1", "2026-09", "5.00")]
    # Recorded after the close, it belongs to the first open period, and to nothing else.
    assert company.lines("2026-10/ann") == [("win", "D-2", "2026-10", "10.00")]
    company.on("2026-12-01T00:00:00Z").close("2026-11")
    assert company.lines("2026-11/ann") == [("win", "D-3", "2026-11", "20.00")]


def test_what_is_corrected_after_the_close_is_adjusted_by_the_next(payday: Opening) -> None:
    company = payday().founded().win("D-1", "100").on("2026-10-05T00:00:00Z")
    company.close("2026-09")
    company.do("deal.amend", "D-1", {"amount": "300", "currency": "USD"})
    before = company.statements()["2026-09/ann"]
    company.on("2026-11-01T00:00:00Z").close("2026-10")
    assert company.statements()["2026-09/ann"] == before
    assert company.lines("2026-10/ann") == [("adjustment", "D-1", "2026-09", "10.00")]


def test_a_migration_brings_its_closes_along(payday: Opening) -> None:
    company = payday(now="2026-11-20T00:00:00Z")

    def then(text: str) -> dict[str, str]:
        return {"time": text, "recordedtime": text}

    july, august = then("2026-07-10T09:00:00Z"), then("2026-08-10T09:00:00Z")
    file = [
        *company.founding("ann", **july),
        *company.winning("D-1", "100", **july),
        company.closing("2026-07", **then("2026-07-31T23:59:59Z")),
        company.closing("2026-07", **then("2026-08-03T09:00:00Z")),
        *company.winning("D-2", "200", **august),
        *company.winning("D-3", "400", **august | {"time": "2026-07-12T09:00:00Z"}),
        company.closing("2026-08", **then("2026-09-02T09:00:00Z")),
    ]
    told = company.submit(*file, migration=True)
    assert [None if one.error is None else one.error["code"] for one in told if one.error is not None] == [
        "period_not_ended"
    ]
    assert company.lines("2026-07/ann") == [("win", "D-1", "2026-07", "5.00")]
    assert company.lines("2026-08/ann") == [
        ("win", "D-2", "2026-08", "10.00"),
        ("win", "D-3", "2026-08", "20.00"),
    ]
    assert [one.closed_at.isoformat() for one in company.ask(periods)] == [
        "2026-08-03T09:00:00+00:00",
        "2026-09-02T09:00:00+00:00",
    ]
    assert company.submit(*file, migration=True)[-1].as_json() == told[-1].as_json()
    # Live now: the next one is closed as of now.
    company.close("2026-09")


def test_one_import_file_sells_and_closes_and_may_be_sent_again(payday: Opening, tmp_path: Path) -> None:
    company = payday()
    file, rejects = tmp_path / "actions.ndjson", tmp_path / "rejects.ndjson"
    september = {"time": "2026-09-10T09:00:00Z", "recordedtime": "2026-09-10T09:00:00Z"}
    later = {"time": "2026-10-02T09:00:00Z", "recordedtime": "2026-10-02T09:00:00Z"}
    actions = [
        *company.founding("ann", **september),
        *company.winning("D-1", "100", **september),
        *company.winning("D-2", "200", **later | {"time": "2026-09-30T23:59:59Z"}),
        company.closing("2026-09", **later),
        company.closing("2026-10", **later),
        *company.winning("D-3", "400", **later | {"time": "2026-09-30T23:59:59Z"}),
    ]
    file.write_text("".join(json.dumps(action) + "\n" for action in actions))

    def sent() -> dict[str, Any]:
        words = ["import", str(file), "--migration", "--json", "--rejects", str(rejects)]
        environment = {"DATABASE_URL": company.database.url, "DEALTRAIL_TIMEZONE": "UTC"}
        summary: dict[str, Any] = json.loads(CliRunner().invoke(cli, words, env=environment).stdout)
        return summary

    first, before, again = sent(), company.facts(), sent()
    assert [json.loads(line)["error"]["code"] for line in rejects.read_text().splitlines()] == [
        "period_not_ended"
    ]
    assert company.facts() == before
    assert (first["accepted"], again["duplicates"], again["events"]) == (len(actions) - 1,) * 2 + (0,)
    assert company.lines("2026-09/ann") == [
        ("win", "D-1", "2026-09", "5.00"),
        ("win", "D-2", "2026-09", "10.00"),
    ]


def disputing(company: Payday) -> Payday:
    company.founded().win("D-1", "100").win("D-2", "200").on("2026-10-05T00:00:00Z").close("2026-09")
    return company


def test_a_dispute_with_a_concession_is_paid_by_the_next_statement(payday: Opening) -> None:
    company = disputing(payday())
    company.do("statement.dispute", "2026-09/ann", {"line": 2, "reason": "it was 300"}, actor="ann")
    (waiting,) = company.ask(disputes, open_only=True)
    assert (waiting.line, waiting.deal, waiting.paid, waiting.status, waiting.disputed_by) == (
        "2026-09/ann/2",
        "D-2",
        Decimal("10.00"),
        "open",
        "ann",
    )
    answer = {"accepted": True, "note": "so it was", "amount": "5"}
    company.do("statement.resolve", "ann/2026-09", answer, actor=PAYROLL)
    refused = company.refuse("statement.resolve", "2026-09/ann", answer, actor=PAYROLL)
    assert refused["code"] == "no_open_dispute"
    company.do("statement.dispute", "2026-09/ann", {"line": "2026-09/ann/2", "reason": "400!"}, actor="ann")
    company.do("statement.resolve", "2026-09/ann", answer | {"line": "2", "amount": "-1.25"}, actor=ADMIN)
    company.on("2026-11-05T00:00:00Z").close("2026-10")
    assert company.lines("2026-10/ann") == [("adjustment", "D-2", "2026-09", "3.75")]
    company.on("2026-12-05T00:00:00Z").close("2026-11")
    assert company.lines("2026-11/ann") == []
    told = company.ask(disputes, rep="ann")
    assert [(one.status, str(one.conceded), one.reason) for one in told] == [
        ("accepted", "5.00", "it was 300"),
        ("accepted", "-1.25", "400!"),
    ]
    assert (company.ask(disputes, rep="bob"), company.ask(disputes, open_only=True)) == ((), ())


def test_a_dispute_sent_again_is_kept_on_the_statements_own_stream(payday: Opening) -> None:
    company = disputing(payday())
    once = company.action("statement.dispute", "ann/2026-09", {"line": 1, "reason": "x"}, actor="ann")
    (first,) = company.accept(once)
    (again,) = company.accept(once)
    assert (again.as_json(), again.duplicate) == (first.as_json(), True)
    company.do("statement.dispute", "ann/2026-09", {"line": "ann/2026-09/1", "reason": "y"}, actor="ann")
    last = company.facts()[-1]
    assert (last.stream, type(last.event)) == ("statement-2026-09/ann", NothingChanged)
    assert len(company.ask(disputes)) == 1
    declined = company.action(
        "statement.resolve", "2026-09/ann", {"accepted": False, "note": "no"}, actor=PAYROLL
    )
    (first,) = company.accept(declined)
    (again,) = company.accept(declined)
    assert again.as_json() == first.as_json()
    assert [one.status for one in company.ask(disputes)] == ["declined"]


def test_the_lists_as_of_the_past(payday: Opening) -> None:
    company = disputing(payday())
    company.on("2026-10-07T00:00:00Z")
    company.do("statement.dispute", "2026-09/ann", {"line": 1, "reason": "x"}, actor="ann")
    then = company.on("2026-10-09T00:00:00Z").store.head()
    company.do("statement.resolve", "2026-09/ann", {"accepted": False, "note": "no"}, actor=PAYROLL)
    for at in (
        AsOf(position=then),
        AsOf(moment=moment("2026-10-08T00:00:00Z")),
        AsOf(moment=moment("2026-10-08T00:00:00Z"), axis="occurred"),
    ):
        with company.projector.snapshot(at=at) as snapshot:
            (waiting,) = disputes(view_of(snapshot), open_only=True).items
        assert (waiting.line, waiting.status, waiting.note) == ("2026-09/ann/1", "open", None)
    with company.projector.snapshot(["periods"], AsOf(moment=moment("2026-10-04T00:00:00Z"))) as snapshot:
        assert periods(view_of(snapshot)).items == ()


def test_who_may_dispute_and_who_may_answer(payday: Opening) -> None:
    company = disputing(payday())

    def disputed(actor: str) -> str | None:
        data = {"line": 1, "reason": "x"}
        (told,) = company.submit(company.action("statement.dispute", "2026-09/ann", data, actor=actor))
        return None if told.error is None else str(told.error["code"])

    def answered(actor: str) -> str | None:
        data = {"accepted": False, "note": "x"}
        (told,) = company.submit(company.action("statement.resolve", "2026-09/ann", data, actor=actor))
        return None if told.error is None else str(told.error["code"])

    actors = ("ann", "head", "service:crm", ADMIN, "bob", PAYROLL, "nobody")
    assert [disputed(actor) for actor in actors] == [None] * 4 + ["not_entitled"] * 2 + ["unknown_rep"]
    actors = ("ann", "head", "service:crm", PAYROLL)
    assert [answered(actor) for actor in actors] == ["not_entitled"] * 3 + [None]
    disputed("ann")
    assert answered(ADMIN) is None


def test_what_cannot_be_disputed_or_answered(payday: Opening) -> None:
    company = disputing(payday())

    def code(kind: str, subject: str, **data: object) -> str:
        actor = "service:crm" if kind == "statement.dispute" else PAYROLL
        return str(company.refuse(kind, subject, data, actor=actor)["code"])

    assert code("statement.dispute", "2026-09/nobody", line=1, reason="x") == "unknown_statement"
    assert code("statement.dispute", "2026-10/ann", line=1, reason="x") == "unknown_statement"
    assert code("statement.dispute", "2026-09/ann", line=3, reason="x") == "unknown_line"
    assert code("statement.dispute", "2026-09/head", line=1, reason="x") == "unknown_line"
    assert code("statement.dispute", "ann", line=1, reason="x") == "invalid_data"
    assert code("statement.resolve", "ann", accepted=True, note="x") == "invalid_data"
    assert code("statement.resolve", "2026-10/ann", accepted=True, note="x") == "unknown_statement"
    assert code("statement.resolve", "2026-09/ann", accepted=True, note="x") == "no_open_dispute"
    company.do("statement.dispute", "2026-09/ann", {"line": 1, "reason": "x"})
    assert code("statement.resolve", "2026-09/ann", accepted=True, note="x", amount="0.001") == "invalid_data"
    assert code("statement.resolve", "2026-09/ann", accepted=False, note="x", amount="1") == "invalid_data"
    assert code("statement.resolve", "2026-09/ann", accepted=True, note="x", line="2") == "no_open_dispute"
