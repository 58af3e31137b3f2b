"""Payments, refunds, matches, rates and costs: as they are sent, kept and listed on a real PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from acceptance.company import Action, Company, action, founding, register
from reporting import AsOf, Story, day

from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from projections.payroll.payments import Ghost, ghosts

BANK = "service:bank"


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    story = Story(database_url)
    yield story
    story.close()


@pytest.fixture
def company(database_url: str, tmp_path: Path) -> Company:
    """With two deals of Ann's, D-1 and D-2."""
    company = Company(database_url, tmp_path)
    company.accept(
        *founding(),
        register("L-1", 1),
        *(action("deal.open", deal, {"lead": "L-1", "pipeline": "sales"}) for deal in ("D-1", "D-2")),
    )
    return company


def paid(payment: str, deal: str | None, amount: str = "100", actor: str = BANK, **said: Any) -> Action:
    return action(
        "payment.record", deal, {"payment": payment, "amount": amount, "currency": "USD"} | said, actor
    )


def refunded(payment: str, deal: str | None, amount: str = "30", actor: str = BANK, **said: Any) -> Action:
    return paid(payment, deal, amount, actor, **said) | {"type": "refund.record"}


def matched(payment: str, deal: str, actor: str = "payroll:pam") -> Action:
    return action("payment.match", payment, {"deal": deal}, actor)


def rated(rate: str, day: str = "2026-01-02", actor: str = BANK) -> Action:
    return action("rate.record", "EUR", {"in": "USD", "rate": rate, "date": day}, actor)


def cost(amount: str = "500", actor: str = "admin:eve") -> Action:
    data = {"amount": amount, "currency": "USD", "from": "2026-01-01", "to": "2026-01-31"}
    return action("cost.record", "site", data, actor)


def listed(story: Story, at: AsOf | None = None) -> list[tuple[str, str | None]]:
    with story.view(at=at) as view:
        return [(one.payment, one.deal) for one in ghosts(view).items]


def logged(story: Story, *categories: str) -> list[tuple[str, str]]:
    """Stream and event of all that is in the log about these."""
    return [
        (fact.stream, fact.event.stored_name.split(".")[1])
        for page in story.store.read(0)
        for fact in page
        if fact.stream.split("-")[0] in categories
    ]


def test_money_is_taken_in_whole_and_kept_in_the_tables(company: Company, story: Story) -> None:
    company.accept(
        paid("P-1", "D-1", reference="I-7"),
        refunded("P-1", None, "40.5", reference="R-1"),
        paid("P-2", None),
        matched("P-2", "D-2"),
        rated("1.0834"),
        cost(),
    )
    with story.view() as view:
        assert ghosts(view).count == 0
        assert view.ask(
            "SELECT payment, deal, named_deal, amount, refunded, currency, reference FROM payment ORDER BY 1"
        ) == [
            ("P-1", "D-1", "D-1", Decimal("100.00"), Decimal("40.50"), "USD", "I-7"),
            ("P-2", "D-2", None, Decimal("100.00"), Decimal("0.00"), "USD", None),
        ]
        assert view.ask("SELECT payment, deal, amount, reference FROM refund") == [
            ("P-1", None, Decimal("40.50"), "R-1")
        ]
        assert view.ask("SELECT currency, quote, day, rate FROM exchange_rate") == [
            ("EUR", "USD", date(2026, 1, 2), Decimal("1.0834"))
        ]
        assert view.ask("SELECT channel, amount, currency, first_day, last_day FROM channel_cost") == [
            ("site", Decimal("500.00"), "USD", date(2026, 1, 1), date(2026, 1, 31))
        ]


def test_the_very_same_actions_again_write_nothing(company: Company, story: Story) -> None:
    actions = [paid("P-1", "D-1"), refunded("P-1", None), matched("P-1", "D-2"), rated("1.1"), cost()]
    company.accept(*actions)
    before = story.store.head()
    company.accept(*actions)
    assert (company.summary["duplicates"], story.store.head()) == (5, before)


@pytest.mark.parametrize("together", [False, True], ids=["later", "in one batch"])
def test_the_same_said_in_new_actions_is_noted_on_its_own_stream_and_changes_nothing(
    company: Company, story: Story, together: bool
) -> None:
    """A cost is the exception: each is a cost of its own."""

    def said() -> list[Action]:
        return [
            paid("P-1", "D-1"),
            refunded("P-2", "D-1", reference="R-1"),
            matched("P-1", "D-1"),
            rated("1.1"),
            cost(),
        ]

    if together:
        company.accept(*said(), *said())
    else:
        company.accept(*said())
        company.accept(*said())
    assert logged(story, "payment", "refund", "rate", "cost", "deal") == [
        *(("deal-" + deal, event) for deal in ("D-1", "D-2") for event in ("DealOpened", "StageEntered")),
        ("payment-P-1", "PaymentRecorded"),
        ("payment-P-2", "RefundRecorded"),
        ("payment-P-1", "NothingChanged"),
        ("rate-EUR", "RateRecorded"),
        ("cost-site", "CostRecorded"),
        ("payment-P-1", "NothingChanged"),
        ("payment-P-2", "NothingChanged"),
        ("payment-P-1", "NothingChanged"),
        ("rate-EUR", "NothingChanged"),
        ("cost-site", "CostRecorded"),
    ]
    with story.view() as view:
        assert view.ask("SELECT count(*) FROM payment UNION ALL SELECT count(*) FROM refund") == [(2,), (1,)]
        assert view.ask("SELECT sum(amount) FROM channel_cost") == [(Decimal("1000.00"),)]


def test_what_contradicts_the_log_is_refused_with_its_code(company: Company) -> None:
    company.accept(paid("P-1", "D-1"), refunded("P-9", "D-1", "60"))
    assert company.codes(
        paid("P-1", "D-1", "200"),
        paid("P-2", "D-1", "-5"),
        paid("P-9", "D-1", "59.99"),
        paid("P-9", "D-2"),
        refunded("P-1", None, "100.01"),
        refunded("P-1", "D-2"),
        refunded("P-1", None, currency="EUR"),
        matched("P-8", "D-1"),
        matched("P-1", "D-8"),
        matched("P-8", "D-8"),
        rated("0"),
        rated("1.1", (datetime.now(UTC) + timedelta(days=2)).date().isoformat()),
        cost("-1"),
    ) == [
        "payment_exists",
        "invalid_data",
        "payment_too_small",
        "other_deal",
        "refund_too_large",
        "other_deal",
        "other_currency",
        "unknown_payment",
        "unknown_deal",
        "unknown_payment",
        "invalid_data",
        "invalid_data",
        "invalid_data",
    ]


def test_no_rep_records_what_reps_are_paid_by(company: Company, story: Story) -> None:
    company.accept(paid("P-1", None))
    before = story.store.head()
    for rep in ("ann", "boss"):
        assert (
            company.codes(
                paid("P-2", "D-1", actor=rep),
                refunded("P-1", None, actor=rep),
                matched("P-1", "D-1", actor=rep),
                rated("2", actor=rep),
                cost(actor=rep),
            )
            == ["not_entitled"] * 5
        )
    assert story.store.head() == before
    for number, actor in enumerate((BANK, "payroll:pam", "admin:eve"), start=3):
        company.accept(
            paid(f"P-{number}", "D-1", actor=actor),
            refunded(f"P-{number}", None, actor=actor),
            matched(f"P-{number}", "D-2", actor=actor),
            rated(f"{number}", actor=actor),
            cost(actor=actor),
        )


def test_a_ghost_is_accepted_and_listed_until_its_deal_is_recorded_or_it_is_matched(
    company: Company, story: Story
) -> None:
    company.accept(
        paid("P-none", None, reference="I-1"),
        paid("P-late", "D-late"),
        paid("P-fine", "D-1"),
        refunded("R-none", None, "7"),
        refunded("P-none", None, "2.5"),
    )
    with story.view() as view:
        found = ghosts(view)
    none, late, refund = found.items
    assert found.count == 3
    assert (none.payment, none.deal, none.reference) == ("P-none", None, "I-1")
    assert (str(none.amount), str(none.refunded), none.currency) == ("100.00", "2.50", "USD")
    assert none.occurred_at == datetime(2026, 1, 2, 9, tzinfo=UTC) < none.recorded_at
    assert (late.payment, late.deal, late.position) == ("P-late", "D-late", none.position + 1)
    assert (refund.payment, refund.amount, refund.refunded) == ("R-none", None, Decimal("7.00"))

    before = story.store.head()
    company.accept(action("deal.open", "D-late", {"lead": "L-1", "pipeline": "sales"}))
    assert listed(story) == [("P-none", None), ("R-none", None)]
    company.accept(matched("P-none", "D-1"))
    assert listed(story) == [("R-none", None)]
    company.accept(matched("R-none", "D-1"))
    assert listed(story) == []
    assert listed(story, AsOf(position=before)) == [("P-none", None), ("P-late", "D-late"), ("R-none", None)]


def test_ghosts_of_a_past_are_those_that_were_known_then(story: Story) -> None:
    story.pipeline().rep("ann").lead("L-1", "ann")
    _pay(story.on(1), "P-1", None)
    _pay(story.on(2), "P-2", "D-2")
    story.on(3).deal("D-2", "L-1").deal("D-3", "L-1")
    story.on(4).tell(("payment-P-1", PaymentMatched(deal="D-3")))
    story.on(5).tell(("payment-R-5", RefundRecorded(deal="D-9", amount=Decimal("5.00"), currency="USD")))
    then = {days: listed(story, AsOf(moment=day(days))) for days in (0.5, 1, 2, 3, 4, 5)}
    assert then == {
        0.5: [],
        1: [("P-1", None)],
        2: [("P-1", None), ("P-2", "D-2")],
        3: [("P-1", None)],
        4: [],
        5: [("R-5", "D-9")],
    }
    assert listed(story) == [("R-5", "D-9")]


def test_by_what_had_occurred_a_deal_opened_later_makes_a_ghost_and_the_oldest_money_is_first(
    story: Story,
) -> None:
    story.pipeline().rep("ann").lead("L-1", "ann").on(10).deal("D-1", "L-1")
    _pay(story.on(20), "P-new", "D-1", occurred=8)
    _pay(story, "P-old", None, occurred=7)
    story.on(21).tell(("payment-P-old", PaymentMatched(deal="D-1")), occurred=6)

    def occurred(days: float) -> list[tuple[str, str | None]]:
        return listed(story, AsOf(moment=day(days), axis="occurred"))

    assert occurred(6.5) == []  # A match dated before its payment changes nothing yet.
    assert occurred(7.5) == [("P-old", "D-1")]
    assert occurred(9) == [("P-old", "D-1"), ("P-new", "D-1")]
    assert occurred(10) == []
    assert listed(story, AsOf(moment=day(9))) == []


def test_a_ghost_says_all_that_helps_to_find_its_deal(story: Story) -> None:
    _pay(story.on(3), "P-1", "D-1", occurred=1)
    with story.view() as view:
        assert ghosts(view).items == (
            Ghost("P-1", "D-1", Decimal("9.00"), "USD", Decimal("0.00"), "I-9", day(1), day(3), 1),
        )


def test_rates_migrated_without_recording_times_are_not_taken_for_ones_to_come(
    database_url: str, tmp_path: Path
) -> None:
    """They take the recording time of the first one, before the later rates' days."""
    days = ("2025-01-01", "2025-02-01", "2025-03-01")
    Company(database_url, tmp_path).accept(
        *(rated("1.1", day) | {"time": f"{day}T18:00:00Z"} for day in days), flags=("--migration",)
    )


def _pay(story: Story, payment: str, deal: str | None, *, occurred: float | None = None) -> None:
    recorded = PaymentRecorded(deal=deal, amount=Decimal("9.00"), currency="USD", reference="I-9")
    story.tell((f"payment-{payment}", recorded), actor=BANK, occurred=occurred)
