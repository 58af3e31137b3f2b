"""Every action but those of payroll: with all it may say, with the least, and with null for the rest."""

from pathlib import Path

import pytest
from company import Company, action, contact, founding, register


@pytest.fixture
def company(database_url: str, tmp_path: Path) -> Company:
    company = Company(database_url, tmp_path)
    company.accept(*founding())
    return company


def test_everything_that_may_be_said_is_taken_and_told_back(company: Company) -> None:
    keys = {"phone": "+7 916 123-45-67", "email": "Eve@Example.com", "tax_id": "7707083893", "external": 42}
    company.accept(
        action(
            "pipeline.define",
            "full",
            {
                "stages": [
                    {"name": "One", "probability": 0.15, "days": 3},
                    {"name": "Two", "probability": 90},
                ],
                "loss_reasons": ["price", "silent"],
                "protection_days": 30,
            },
            "service:setup",
            dataschema="https://example.com/schema",
            traceparent="00-1-2-01",
        ),
        action("rep.hire", "dan", {"name": "Dan", "manager": "head", "branch": "North"}, "service:hr"),
        action(
            "lead.register",
            "L-1",
            {
                "keys": keys,
                "name": "Acme",
                "channel": "site",
                "campaign": "May",
                "branch": "North",
                "owner": "dan",
            },
            "service:site",
        ),
        action(
            "deal.open",
            "D-1",
            {
                "lead": "L-1",
                "pipeline": "full",
                "stage": "One",
                "title": "Ten pumps",
                "product": "Pump",
                "amount": "10.50",
                "currency": "EUR",
            },
            "dan",
        ),
        action(
            "contact.record",
            "L-1",
            {"kind": "call", "direction": "in", "outcome": "asked", "note": "…", "deal": "D-1"},
            "dan",
        ),
        action(
            "task.plan",
            "L-1",
            {
                "task": "T-1",
                "due_at": "2026-02-01t10:00:00.5z",
                "kind": "call",
                "assignee": "ann",
                "deal": "D-1",
            },
            "dan",
        ),
        action("task.complete", "L-1", {"task": "T-1", "result": "called"}, "ann"),
        action(
            "task.plan", "L-1", {"task": "T-2", "due_at": "2026-02-01T10:00:00+03:00", "kind": "mail"}, "dan"
        ),
        action("task.cancel", "L-1", {"task": "T-2", "reason": "in vain"}, "dan"),
        action("deal.move", "D-1", {"stage": "Two"}, "dan"),
        action("deal.amend", "D-1", {"amount": 12, "currency": "EUR"}, "dan"),
        action(
            "deal.split",
            "D-1",
            {
                "shares": [
                    {"rep": "dan", "role": "closer", "percent": "66.7"},
                    {"rep": "ann", "percent": "33.3"},
                ]
            },
            "dan",
        ),
        action("deal.lose", "D-1", {"reason": "price", "note": "too dear"}, "ann"),
        action("deal.reopen", "D-1", {"reason": "they came back"}, "ann"),
        action("deal.win", "D-1", {"amount": "11.5", "currency": "EUR"}, "ann"),
    )
    deal = company.ask("deal", "D-1")
    assert (deal["status"], deal["stage"], deal["title"], deal["product"]) == (
        "won",
        "Two",
        "Ten pumps",
        "Pump",
    )
    assert (deal["amount"], deal["currency"], deal["rep"]) == ("11.50", "EUR", "dan")
    assert [(share["rep"], share["role"], share["percent"]) for share in deal["shares"]] == [
        ("dan", "closer", "66.7"),
        ("ann", None, "33.3"),
    ]
    lead = company.ask("lead", "L-1")
    assert (lead["name"], lead["channel"], lead["campaign"], lead["branch"]) == (
        "Acme",
        "site",
        "May",
        "North",
    )
    assert [(task["task"], task["status"], task["due_at"]) for task in lead["tasks"]] == [
        ("T-1", "done", "2026-02-01T10:00:00.500000+00:00"),
        ("T-2", "cancelled", "2026-02-01T07:00:00+00:00"),
    ]
    assert [event["position"] for event in lead["timeline"]] == sorted(
        event["position"] for event in lead["timeline"]
    )


@pytest.mark.parametrize("null", [False, True], ids=["left out", "null"])
def test_what_is_optional_may_be_left_out_or_null(company: Company, null: bool) -> None:
    def least(needed: dict[str, object], *optional: str) -> dict[str, object]:
        return needed | (dict.fromkeys(optional) if null else {})

    stages = [least({"name": "Only"}, "probability", "days")]
    deal = least({"lead": "L-1", "pipeline": "sales"}, "stage", "title", "product", "amount", "currency")
    contacted = least({"kind": "call", "direction": "in", "outcome": "asked"}, "note", "deal")
    step = least({"task": "T-1", "due_at": "2027-01-01T10:00:00Z", "kind": "call"}, "assignee", "deal")
    company.accept(
        action(
            "pipeline.define",
            "least",
            least({"stages": stages}, "loss_reasons", "protection_days"),
            "admin:eve",
        ),
        action("rep.hire", "dan", least({"name": "Dan"}, "manager", "branch"), "admin:eve"),
        register("L-1", 1, data=least({}, "name", "channel", "campaign", "branch")),
        register("L-2", 2),
        contact("L-2"),
        action("contact.record", "L-1", contacted),
        action("task.plan", "L-1", step),
        action("deal.open", "D-1", deal),
        action("deal.win", "D-1", least({}, "amount", "currency")),
        action("deal.open", "D-2", deal),
        action("deal.lose", "D-2", least({"reason": "price"}, "note")),
        action("lead.release", "L-2", {"reason": "no time"}),
        action("lead.claim", "L-2", {} if null else None),
        action("lead.merge", "L-2", {"into": "L-1"}),
        action("lead.unmerge", "L-2", least({}, "into")),
        action("lead.disqualify", "L-2", {"reason": "moved away"}),
        action("rep.leave", "dan", least({}, "successor"), "admin:eve"),
    )
    assert company.ask("deal", "D-1")["stage"] == "Call"
    assert company.ask("lead", "L-2")["status"] == "disqualified"


def test_money_is_kept_to_the_minor_unit(company: Company) -> None:
    told = {
        "D-1": (1, "USD", "1.00"),
        "D-2": ("1.5", "USD", "1.50"),
        "D-3": ("1.550", "USD", "1.55"),
        "D-4": ("1e3", "USD", "1000.00"),
        "D-5": ("-5", "USD", "-5.00"),
        "D-6": ("0", "USD", "0.00"),
        "D-7": ("7", "JPY", "7"),
        "D-8": ("1.555", "KWD", "1.555"),
        "D-9": ("999999999999999.99", "USD", "999999999999999.99"),
    }
    company.accept(
        register("L-1", 1),
        *(
            action(
                "deal.open",
                deal,
                {"lead": "L-1", "pipeline": "sales", "amount": amount, "currency": currency},
            )
            for deal, (amount, currency, _) in told.items()
        ),
    )
    timeline = company.ask("lead", "L-1")["timeline"]
    kept = {
        event["stream"].removeprefix("deal-"): (event["data"]["amount"], event["data"]["currency"])
        for event in timeline
        if event["event"] == "deals.DealOpened"
    }
    assert kept == {deal: (amount, currency) for deal, (_, currency, amount) in told.items()}


def test_an_amount_is_in_the_currency_that_its_deal_was_opened_in(company: Company) -> None:
    company.accept(
        register("L-1", 1),
        action("deal.open", "D-1", {"lead": "L-1", "pipeline": "sales", "currency": "EUR"}),
        action("deal.win", "D-1", {"amount": "5"}),
    )
    assert company.ask("deal", "D-1")["currency"] == "EUR"
