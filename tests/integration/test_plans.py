"""Plans through the import on a real PostgreSQL: published, assigned, refused, and listed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from adapters.cli.main import cli
from adapters.postgres.database import Database
from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.projector import Projector
from adapters.wiring import PROJECTIONS
from domain.shared.rejections import UnknownRep
from projections.asking import View, answer
from projections.payroll.plans import assignments, plans
from services.plan_documents import read_plan

Action = dict[str, Any]
Errors = list[dict[str, Any] | None]

FLAT = {"name": "Flat", "currency": "USD", "basis": "won", "rate": "5"}
MORE = {**FLAT, "rate": "6.50", "cap": "1000"}
STEPS: Action = {"method": "marginal", "measure": "attainment", "window": "year"}
BY_QUOTA: Action = {
    "name": "Quota",
    "currency": "USD",
    "basis": "paid",
    "tiers": {**STEPS, "steps": [{"above": "0", "percent": "5"}, {"above": "100", "percent": "7"}]},
}
QUOTA: Action = {"quota": {"reps": {"ann": "500"}}}
FROM_JANUARY = {"plan": "p", "from": "2026-01-01"}
NEEDED = [projection for projection in PROJECTIONS if projection.name in ("plans", "assignments", "team")]
_ids = count(1)


def action(kind: str, subject: str, data: object, actor: str = "payroll:pam") -> Action:
    return {
        "specversion": "1.0",
        "id": str(next(_ids)),
        "source": "test",
        "type": kind,
        "subject": subject,
        "time": "2026-01-02T09:00:00+00:00",
        "actor": actor,
        "data": data,
    }


class Office:
    """Ann and Bob below Head, and a payroll clerk who sends actions."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        reps = {"head": None, "ann": "head", "bob": "head"}
        assert self.send(
            *(
                action("rep.hire", rep, {"name": rep, "manager": manager}, "admin:eve")
                for rep, manager in reps.items()
            )
        ) == [None] * len(reps)

    def send(self, *actions: Action) -> Errors:
        """The error of each, None where it was accepted."""
        file, rejects = self.folder / "actions.ndjson", self.folder / "rejects.ndjson"
        file.write_text("".join(json.dumps(one) + "\n" for one in actions))
        environment = {"DATABASE_URL": self.url, "DEALTRAIL_TIMEZONE": "UTC"}
        words = ["import", str(file), "--json", "--rejects", str(rejects)]
        done = CliRunner().invoke(cli, words, env=environment)
        assert done.exit_code in (0, 1), done.output
        rejected = [json.loads(line) for line in rejects.read_text().splitlines()] if done.exit_code else []
        errors = {one["line"]: one["error"] for one in rejected}
        return [errors.get(number) for number in range(1, len(actions) + 1)]

    def publish(self, plan: object, name: str = "p", actor: str = "payroll:pam") -> dict[str, Any] | None:
        (error,) = self.send(action("plan.publish", name, plan, actor))
        return error

    def assign(self, rep: str, data: object, actor: str = "payroll:pam") -> dict[str, Any] | None:
        (error,) = self.send(action("plan.assign", rep, data, actor))
        return error

    @contextmanager
    def view(self) -> Iterator[View]:
        with Database(self.url) as database:
            projector = Projector(database, NEEDED)
            assert projector.catch_up() == []
            with projector.snapshot() as snapshot:
                yield view_of(snapshot)

    def events(self, stream: str) -> list[tuple[str, dict[str, Any]]]:
        with Database(self.url) as database, database.connection() as connection:
            rows = connection.execute(
                "SELECT topic, state FROM log.event WHERE originator_id = %s ORDER BY originator_version",
                (stream,),
            ).fetchall()
        return [(topic, json.loads(bytes(state))) for topic, state in rows]


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    return Office(database_url, tmp_path)


def refused(error: dict[str, Any] | None) -> tuple[str, str]:
    assert error is not None, "accepted"
    return error["code"], error["message"]


def test_versions_are_published_and_listed_as_they_can_be_published_again(office: Office) -> None:
    assert [office.publish(FLAT), office.publish(MORE), office.publish({**BY_QUOTA, **QUOTA}, "q")] == [
        None
    ] * 3
    with office.view() as view:
        found = answer(view, plans(view))
    assert [(one["plan"], one["number"], one["basis"]) for one in found["items"]] == [
        ("p", 2, "won"),
        ("p", 1, "won"),
        ("q", 1, "paid"),
    ]
    assert found["items"][0]["document"] == {**MORE, "rate": "6.5", "cap": "1000.00"}
    assert read_plan(found["items"][2]["document"]) == read_plan({**BY_QUOTA, **QUOTA})


def test_publishing_the_same_again_changes_nothing(office: Office) -> None:
    assert [office.publish(FLAT), office.publish({**FLAT, "rate": "5.0"})] == [None, None]
    assert [topic for topic, _ in office.events("plan-p")] == [
        "payroll.PlanPublished",
        "shared.NothingChanged",
    ]
    assert office.publish(MORE) is None
    assert office.events("plan-p")[-1][1]["number"] == 2


def test_a_plan_is_published_and_assigned_in_one_file_and_holds_by_its_latest_version(office: Office) -> None:
    said = [
        action("plan.publish", "p", FLAT),
        action("plan.assign", "ann", {**FROM_JANUARY, "to": "2026-06-30"}),
        action("plan.publish", "p", MORE),
        action("plan.assign", "ann", {**FROM_JANUARY, "from": "2026-07-01"}, "service:hr"),
        action("plan.assign", "ann", {**FROM_JANUARY, "from": "2026-07-01"}),
        action("plan.assign", "bob", FROM_JANUARY, "admin:eve"),
    ]
    assert office.send(*said) == [None] * 6
    with office.view() as view:
        everybody, anns = answer(view, assignments(view)), answer(view, assignments(view, rep="ann"))
        with pytest.raises(UnknownRep):
            assignments(view, rep="cid")
    assert [
        (one["rep"], one["plan"], one["number"], one["first_day"], one["last_day"], one["name"])
        for one in everybody["items"]
    ] == [
        ("ann", "p", 2, "2026-07-01", None, "Flat"),
        ("ann", "p", 1, "2026-01-01", "2026-06-30", "Flat"),
        ("bob", "p", 2, "2026-01-01", None, "Flat"),
    ]
    assert (anns["count"], anns["items"]) == (2, everybody["items"][:2])


def test_who_may(office: Office) -> None:
    for rep in ("ann", "head"):
        assert refused(office.publish(FLAT, actor=rep)) == (
            "not_entitled",
            f"{rep} may not publish plans: only payroll, a service or an admin may.",
        )
    assert [office.publish(FLAT, name, f"{name}:x") for name in ("payroll", "service", "admin")] == [None] * 3
    for rep in ("ann", "head"):
        assert refused(office.assign("ann", {**FROM_JANUARY, "plan": "admin"}, rep))[0] == "not_entitled"


def test_unknown_reps_plans_and_keys_are_refused(office: Office) -> None:
    assert refused(office.assign("ann", FROM_JANUARY))[0] == "unknown_plan"
    assert office.publish(FLAT) is None
    assert refused(office.assign("cid", FROM_JANUARY))[0] == "unknown_rep"
    assert refused(office.publish({**FLAT, "quota": {"reps": {"ann": "5", "cid": "5"}}})) == (
        "unknown_rep",
        "There is no rep cid. Hire them first (rep.hire).",
    )
    error = office.publish({**FLAT, "ratio": "5"})
    assert refused(error)[0] == "invalid_data"
    assert error is not None
    assert error["details"]["field"] == "ratio"
    assert refused(office.assign("ann", {**FROM_JANUARY, "to": "2025-12-31"}))[0] == "invalid_data"


def test_a_plan_that_makes_no_sense_is_refused_with_the_place(office: Office) -> None:
    tiers = {**STEPS, "steps": [{"above": "10", "percent": "5"}]}
    error = office.publish({**BY_QUOTA, **QUOTA, "tiers": tiers})
    assert refused(error)[0] == "invalid_plan"
    assert error is not None
    assert error["details"] == {"field": "tiers.steps.0.above", "above": "10"}
    assert office.events("plan-p") == []


def test_a_rep_without_a_quota_is_not_paid_by_attainment(office: Office) -> None:
    assert office.publish({**BY_QUOTA, **QUOTA}) is None
    assert [office.assign("ann", FROM_JANUARY), refused(office.assign("bob", FROM_JANUARY))] == [
        None,
        (
            "invalid_plan",
            "The plan p goes by attainment, but has no quota for bob. Publish it with quota.reps.bob first.",
        ),
    ]


def test_a_rep_is_paid_in_one_currency_whatever_versions_come(office: Office) -> None:
    assert [office.publish(FLAT), office.assign("ann", FROM_JANUARY)] == [None, None]
    assert office.publish({**FLAT, "currency": "EUR"}) is None
    code, message = refused(office.assign("ann", {**FROM_JANUARY, "from": "2026-05-01"}))
    assert (code, "pays in EUR, but ann is paid in USD" in message) == ("plan_currency", True)
    assert office.assign("bob", FROM_JANUARY) is None


def test_a_rep_who_left_may_still_be_assigned(office: Office) -> None:
    assert office.publish(FLAT) is None
    assert office.send(action("rep.leave", "ann", {}, "admin:eve")) == [None]
    assert office.assign("ann", FROM_JANUARY) is None


def test_products_are_checked_once_a_deal_has_named_one(office: Office) -> None:
    by_product = {"name": "P", "currency": "USD", "basis": "won", "products": {"Desk": "5"}}
    selling = [
        action("pipeline.define", "sales", {"stages": [{"name": "Call"}]}, "admin:eve"),
        action("lead.register", "L-1", {"keys": {"external": "1"}}, "ann"),
        action("deal.open", "D-1", {"lead": "L-1", "pipeline": "sales", "product": "Chair"}, "ann"),
    ]
    assert office.publish(by_product) is None
    errors = office.send(*selling, action("plan.publish", "p", {**by_product, "rate": "1"}))
    assert errors[:3] == [None] * 3
    assert refused(errors[3]) == (
        "invalid_plan",
        "No deal has ever named Desk. The products that deals have named are: Chair.",
    )
    assert office.publish({**by_product, "products": {"Chair": "5"}}) is None
