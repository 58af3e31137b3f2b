"""Every way for an action to be wrong has its own stable code, and says what it is about."""

from pathlib import Path
from typing import Any

import pytest
from company import Action, Company, action, contact, founding, register

OPENED = {"lead": "L-1", "pipeline": "sales"}


@pytest.fixture
def company(database_url: str, tmp_path: Path) -> Company:
    """Ann owns L-1 with the deal D-1, Cid owns L-2; L-0 is nobody's; L-9 was disqualified."""
    company = Company(database_url, tmp_path)
    company.accept(
        *founding(),
        register("L-1", 1),
        action("deal.open", "D-1", OPENED | {"amount": "5", "currency": "EUR"}),
        register("L-2", 2, "cid"),
        register("L-0", 10, "service:site"),
        register("L-9", 9),
        action("lead.disqualify", "L-9", {"reason": "closed down"}),
        action("rep.hire", "gone", {"name": "Gone"}, "admin:eve"),
        action("rep.leave", "gone", None, "admin:eve"),
    )
    return company


def check(company: Company, wrong: list[tuple[Action | bytes, str, dict[str, Any]]]) -> None:
    """Each is refused with this code and (among others) these details, in a sentence."""
    errors = company.send(*(line for line, _, _ in wrong))
    found = []
    for error, (line, _, details) in zip(errors, wrong, strict=True):
        assert error is not None, f"accepted: {line!r}"
        assert error["message"][0] != "{"
        assert error["message"].endswith((".", "…"))
        found.append((error["code"], {name: error["details"].get(name) for name in details}))
    assert found == [(code, details) for _, code, details in wrong]


def field(name: str) -> tuple[str, dict[str, str]]:
    return "invalid_data", {"field": name}


def test_an_envelope_that_is_wrong_is_refused_naming_the_attribute(company: Company) -> None:
    def but(**said: object) -> Action:
        return {name: value for name, value in (register("L-5", 5) | said).items() if value is not ...}

    check(
        company,
        [
            *((but(**{name: ...}), *field(name)) for name in ("specversion", "id", "source", "type")),
            *((but(**{name: ...}), *field(name)) for name in ("subject", "time", "actor")),
            *((but(**{name: ""}), *field(name)) for name in ("id", "source", "subject", "actor")),
            *((but(**{name: 17}), *field(name)) for name in ("id", "subject", "time", "actor")),
            (but(specversion="0.3"), *field("specversion")),
            (but(subject=None), *field("subject")),
            (but(data=...), *field("keys")),
            (but(data=[]), *field("data")),
            (but(data="keys"), *field("data")),
            (but(id="x" * 201), *field("id")),
            (but(type="lead.regster"), "unknown_type", {"type": "lead.regster"}),
            (but(type="lead.lapse"), "unknown_type", {"type": "lead.lapse"}),
        ],
    )


def test_a_time_that_cannot_be_is_refused(company: Company) -> None:
    def at(time: str) -> Action:
        return register("L-5", 5, time=time)

    def due(moment: object) -> Action:
        return action("task.plan", "L-1", {"task": "T-1", "due_at": moment, "kind": "call"})

    check(
        company,
        [
            (at("2026-01-02T09:00:00"), "naive_time", {"field": "time", "value": "2026-01-02T09:00:00"}),
            (at("2026-01-02"), "naive_time", {"field": "time", "value": "2026-01-02"}),
            (at("2999-01-01T00:00:00Z"), "future_time", {"field": "time", "value": "2999-01-01T00:00:00Z"}),
            (at("yesterday"), *field("time")),
            (at("2026-13-01T09:00:00Z"), *field("time")),
            (at("9999-12-31T23:59:59-12:00"), *field("time")),
            (due("2026-01-02T09:00:00"), "naive_time", {"field": "due_at", "value": "2026-01-02T09:00:00"}),
            (due("tomorrow"), *field("due_at")),
            (due(17), *field("due_at")),
            (due(None), *field("due_at")),
            (due("9999-12-31T23:59:59-12:00"), *field("due_at")),
            (due("0001-01-01T00:00:00+12:00"), *field("due_at")),
        ],
    )
    company.accept(due("2999-01-01T00:00:00Z"))


def test_keys_that_identify_nobody_are_refused_naming_the_key(company: Company) -> None:
    def keyed(**keys: object) -> Action:
        return action("lead.register", "L-5", {"keys": keys})

    def bad(kind: str) -> tuple[str, dict[str, str]]:
        return "invalid_key", {"kind": kind, "field": f"keys.{kind}"}

    check(
        company,
        [
            (keyed(phone="8 916 123-45-67"), *bad("phone")),
            (keyed(phone="+7 12"), *bad("phone")),
            (keyed(phone=""), *bad("phone")),
            (keyed(email="nobody"), *bad("email")),
            (keyed(email="a@b"), *bad("email")),
            (keyed(tax_id="7707083894"), *bad("tax_id")),
            (keyed(tax_id="DE136695977"), *bad("tax_id")),
            (keyed(external="  "), *bad("external")),
            (keyed(phone="+79160000005", email="nobody"), *bad("email")),
            (keyed(), *field("keys")),
            (keyed(phone=None, email=None), *field("keys")),
            (keyed(fax="+79160000005"), *field("keys.fax")),
            (keyed(phone=True), *field("keys.phone")),
            (action("lead.register", "L-5", {"keys": ["phone"]}), *field("keys")),
            (action("lead.register", "L-5", {"keys": None}), *field("keys")),
        ],
    )


def test_data_that_is_wrong_is_refused_naming_the_field(company: Company) -> None:
    def stages(**stage: object) -> Action:
        return action("pipeline.define", "p", {"stages": [{"name": "One", **stage}]}, "admin:eve")

    def shares(*percents: object) -> Action:
        reps = ("ann", "bob", "cid")
        named = [{"rep": rep, "percent": percent} for rep, percent in zip(reps, percents, strict=False)]
        return action("deal.split", "D-1", {"shares": named})

    def amended(amount: object, currency: object = "USD") -> Action:
        return action("deal.amend", "D-1", {"amount": amount, "currency": currency})

    no_money = (1.5, True, None, "", "abc", "NaN", "Infinity", "1,5", "1_000", "٣", "1e15", "1.555")
    check(
        company,
        [
            *((amended(amount), *field("amount")) for amount in no_money),
            (amended("1.5", "JPY"), *field("amount")),
            (amended("1.5555", "KWD"), *field("amount")),
            *((amended("1", currency), *field("currency")) for currency in ("usd", "US", "XAU", "ZZZ")),
            (action("deal.amend", "D-1", {"currency": "USD"}), *field("amount")),
            (action("deal.win", "D-1", {"currency": "USD"}), *field("currency")),
            (register("L-5", 5, data={"colour": "red"}), *field("colour")),
            (register("L-5", 5, data={"channel": 5}), *field("channel")),
            (register("L-5", 5, data={"name": ""}), *field("name")),
            (register("L-5", 5, data={"name": "x" * 2001}), *field("name")),
            (action("pipeline.define", "p", {"stages": []}, "admin:eve"), *field("stages")),
            (action("pipeline.define", "p", {"stages": ["One"]}, "admin:eve"), *field("stages.0")),
            (stages(probability=101), *field("stages.0.probability")),
            (stages(days=-1), *field("stages.0.days")),
            (stages(days=10**30), *field("stages.0.days")),
            (
                action("pipeline.define", "p", {"stages": [{"name": "One"}, {"name": "One"}]}, "admin:eve"),
                *field("stages"),
            ),
            (action("lead.release", "L-1"), *field("reason")),
            (action("lead.assign", "L-1", {"rep": "bob", "reason": "mood"}, "head"), *field("reason")),
            (action("lead.claim", "L-1", None, "service:site"), *field("actor")),
            (action("deal.open", "D-5", {"lead": None, "pipeline": "sales"}), *field("lead")),
            (contact("L-2", "cid") | {"data": {"kind": "call", "direction": "in"}}, *field("outcome")),
            (
                action(
                    "contact.record",
                    "L-2",
                    {"kind": "call", "direction": "in", "outcome": "x", "deal": "D-1"},
                    "cid",
                ),
                *field("deal"),
            ),
            (shares(), *field("shares")),
            (shares(33.3, "66.7"), *field("shares.0.percent")),
            (shares("110", "-10"), *field("shares")),
            (shares("60", "30"), "shares_not_100", {"deal": "D-1", "sum": "90"}),
            (shares("33.333333", "33.333333", "33.333333"), "shares_not_100", {"sum": "99.999999"}),
            (action("rep.hire", "admin:joe", {"name": "Joe"}, "admin:eve"), *field("subject")),
            (action("rep.hire", "boss", {"name": "Boss", "manager": "ann"}, "admin:eve"), *field("manager")),
            (action("rep.leave", "bob", {"successor": "bob"}, "head"), *field("successor")),
        ],
    )


def test_what_does_not_exist_is_named(company: Company) -> None:
    def deal(**said: object) -> Action:
        return action("deal.open", "D-5", OPENED | said)

    check(
        company,
        [
            (action("lead.claim", "L-77"), "unknown_lead", {"lead": "L-77"}),
            (action("lead.merge", "L-1", {"into": "L-77"}), "unknown_lead", {"lead": "L-77"}),
            (deal(lead="L-77"), "unknown_lead", {"lead": "L-77"}),
            (deal(pipeline="rent"), "unknown_pipeline", {"pipeline": "rent"}),
            (deal(stage="call"), "unknown_stage", {"stage": "call", "stages": ["Call", "Offer", "Contract"]}),
            (action("deal.move", "D-77", {"stage": "Call"}), "unknown_deal", {"deal": "D-77"}),
            (action("deal.lose", "D-1", {"reason": "mood"}), "unknown_loss_reason", {"reasons": ["price"]}),
            (contact("L-1", "nobody"), "unknown_rep", {"rep": "nobody"}),
            (contact("L-1", "service:"), "unknown_rep", {"rep": "service:"}),
            (register("L-5", 5, "admin:eve", data={"owner": "zed"}), "unknown_rep", {"rep": "zed"}),
            (action("rep.leave", "bob", {"successor": "zed"}, "head"), "unknown_rep", {"rep": "zed"}),
            (action("task.complete", "L-1", {"task": "T", "result": "x"}), "unknown_task", {"task": "T"}),
        ],
    )


def test_what_is_over_is_over(company: Company) -> None:
    step = {"task": "T-1", "due_at": "2027-01-01T00:00:00Z", "kind": "call"}
    company.accept(
        register("L-8", 8),
        action("deal.open", "D-8", OPENED | {"lead": "L-8"}),
        action("lead.disqualify", "L-8", {"reason": "closed down"}),
        action("task.plan", "L-1", step),
        action("task.complete", "L-1", {"task": "T-1", "result": "done"}),
        action("deal.win", "D-1"),
    )
    closed = ("deal_closed", {"deal": "D-1", "status": "won"})
    ended = ("lead_closed", {"lead": "L-9", "status": "disqualified"})
    check(
        company,
        [
            (action("deal.move", "D-1", {"stage": "Offer"}), *closed),
            (action("deal.win", "D-1"), *closed),
            (action("deal.lose", "D-1", {"reason": "price"}), *closed),
            (action("deal.open", "D-1", OPENED | {"pipeline": "short"}), "deal_exists", {"lead": "L-1"}),
            (action("lead.claim", "L-9"), *ended),
            (register("L-9", 99), *ended),
            (action("deal.open", "D-5", OPENED | {"lead": "L-9"}), *ended),
            (action("task.plan", "L-9", step), *ended),
            (action("deal.move", "D-8", {"stage": "Offer"}), "lead_closed", {"lead": "L-8"}),
            (action("deal.lose", "D-8", {"reason": "price"}), "lead_closed", {"lead": "L-8"}),
            (action("task.cancel", "L-1", {"task": "T-1", "reason": "x"}), "task_closed", {"status": "done"}),
            (action("lead.unmerge", "L-1"), "not_merged", {"lead": "L-1"}),
            (contact("L-1", "gone"), "rep_left", {"rep": "gone"}),
            (
                action("lead.assign", "L-1", {"rep": "gone", "reason": "conflict"}, "head"),
                "rep_left",
                {"rep": "gone"},
            ),
        ],
    )
    company.accept(
        contact("L-9"),
        action("deal.lose", "D-8", {"reason": "price"}, "service:crm"),
        action("deal.reopen", "D-1", {"reason": "x"}),
        action("deal.win", "D-1"),
    )


def test_who_may_not_is_told_why(company: Company) -> None:
    def not_for(actor: str) -> tuple[str, dict[str, str]]:
        return "not_entitled", {"actor": actor}

    handover = {"rep": "bob", "reason": "conflict"}
    check(
        company,
        [
            (action("lead.assign", "L-1", handover), *not_for("ann")),
            (action("lead.assign", "L-1", handover, "bob"), *not_for("bob")),
            (action("lead.assign", "L-1", handover, "service:site"), *not_for("service:site")),
            (action("lead.assign", "L-2", handover, "head"), *not_for("head")),
            (action("lead.assign", "L-0", handover, "cid"), *not_for("cid")),
            (action("lead.release", "L-1", {"reason": "x"}, "bob"), *not_for("bob")),
            (action("lead.disqualify", "L-1", {"reason": "x"}, "bob"), *not_for("bob")),
            (action("lead.disqualify", "L-0", {"reason": "x"}), *not_for("ann")),
            (action("lead.merge", "L-1", {"into": "L-2"}), *not_for("ann")),
            (action("lead.merge", "L-1", {"into": "L-2"}, "service:site"), *not_for("service:site")),
            (register("L-5", 5, data={"owner": "bob"}), *not_for("ann")),
            (register("L-5", 5, "payroll:may"), *not_for("payroll:may")),
            (contact("L-1", "payroll:may"), *not_for("payroll:may")),
            (action("deal.open", "D-5", OPENED, "bob"), *not_for("bob")),
            (action("deal.move", "D-1", {"stage": "Offer"}, "bob"), *not_for("bob")),
            (action("deal.move", "D-1", {"stage": "Offer"}, "payroll:may"), *not_for("payroll:may")),
            (action("deal.win", "D-1", None, "cid"), *not_for("cid")),
            (action("deal.open", "D-5", OPENED | {"lead": "L-0"}), *not_for("ann")),
            (action("rep.hire", "dan", {"name": "Dan"}, "head"), *not_for("head")),
            (action("rep.leave", "bob", None, "cid"), *not_for("cid")),
            (action("pipeline.define", "p", {"stages": [{"name": "One"}]}), *not_for("ann")),
        ],
    )
    owner_is_told = company.refuse(action("deal.win", "D-1", None, "bob"))
    assert "ann" in owner_is_told["message"]


def test_keys_of_two_leads_are_refused_naming_both(company: Company) -> None:
    keys = {"external": "X"}
    company.accept(action("lead.register", "L-4", {"keys": keys}))
    both = action("lead.register", "L-5", {"keys": {"phone": "+79160000001", **keys}})
    check(company, [(both, "keys_of_two_leads", {"leads": ["L-1", "L-4"]})])
    company.accept(action("lead.merge", "L-4", {"into": "L-1"}), both)
    assert company.ask("owner", "L-5")["lead"] == "L-1"
