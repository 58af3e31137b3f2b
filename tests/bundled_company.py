"""A company whose statements have lines of every kind, its log in memory, and bundles of its statements."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property

from lying_server import Server
from payroll_company import Company, InMemory

from adapters.audit.bundle.bundle import StatementBundle
from adapters.audit.bundle.making import Log, Noted, assembled
from domain.audit.leaf import Leaf
from domain.kernel import Event, Recorded
from domain.payroll.events import PeriodClosed, StatementIssued

STEPS = [{"above": "0", "percent": "5"}, {"above": "1000", "percent": "10"}]
Facts = Sequence[Recorded[Event]]


def with_totals(facts: Facts) -> list[Recorded[Event]]:
    """As a real close records them: its totals are those of its statements, and all are of one action."""
    whole = list(facts)
    for at, fact in enumerate(whole):
        if isinstance(fact.event, PeriodClosed):
            count = fact.event.statements
            totals: defaultdict[str, Decimal] = defaultdict(Decimal)
            for place in range(at + 1, at + 1 + count):
                issued = whole[place]
                assert isinstance(issued.event, StatementIssued)
                totals[issued.event.currency] += issued.event.total
                whole[place] = moved(issued, action=fact.action)
            closed = fact.event.model_copy(update={"totals": dict(totals)})
            whole[at] = moved(fact, event=closed)
    return whole


def moved(fact: Recorded[Event], **changes: object) -> Recorded[Event]:
    """The fact, with something changed."""
    return Recorded(**{name: getattr(fact, name) for name in Recorded.__dataclass_fields__} | changes)  # type: ignore[arg-type]


def lines_of(facts: Facts) -> Iterator[bytes]:
    """What the log's leaves are made of."""
    versions: Counter[str] = Counter()
    for fact in facts:
        versions[fact.stream] += 1
        yield Leaf(
            fact.position,
            fact.recorded_at,
            fact.stream,
            versions[fact.stream],
            fact.event.stored_name,
            fact.event.stored_version,
            0,
            fact.occurred_at,
            fact.actor,
            fact.source,
            fact.action,
            None,
            None,
            False,
            fact.event.__pydantic_serializer__.to_json(fact.event),
        ).line()


@dataclass(frozen=True)
class Audited:
    """A log with its tree, every size of which can be signed."""

    facts: Facts

    @cached_property
    def server(self) -> Server:
        return Server(list(lines_of(self.facts)))

    @property
    def log(self) -> Log:
        return Log(lambda position: self.server.lines[position - 1], self.server.node)

    def noted(self, size: int) -> Noted:
        return Noted.of(self.server.checkpoint(size).decode())

    def statements(self) -> list[tuple[int, StatementIssued]]:
        """With their positions."""
        return [(fact.position, fact.event) for fact in self.facts if isinstance(fact.event, StatementIssued)]

    def close_of(self, period: str) -> int:
        """The position of the period's close."""
        return next(fact.position for fact in self.facts if fact.stream == f"period-{period}")

    def bundle(self, position: int, later: int | None = None, log: Log | None = None) -> StatementBundle:
        """Of the statement at this position, sound or not; on a checkpoint of `later` events, or of all."""
        issued = self.facts[position - 1].event
        assert isinstance(issued, StatementIssued)
        cutoff, size = self.noted(issued.cutoff_position), later or len(self.facts)
        close = self.close_of(issued.period)
        return assembled(log or self.log, position, close, cutoff, self.noted(size))


@cache
def audited() -> Audited:
    """In memory, and with a win that is recorded while January's close is worked out."""
    company = InMemory()

    def close() -> None:
        company.clock.end("2026-01")
        cutoff = len(company.facts)
        company.win("A2", "700.00", "2026-02-01")
        company.close_at("2026-01", cutoff)

    play(company, close)
    return Audited(with_totals(company.facts))


def play(company: Company, close_january: Callable[[], None]) -> None:
    """Five months: splits, tiers, caps, draws, overrides, clawbacks, corrections, disputes, currencies.

    `close_january` is also to win A2, of Ann.
    """
    company.hire("head")
    for rep in ("ann", "bob", "cid", "dan"):
        company.hire(rep, manager="head")
    company.plan("head", rate="2", override="1.5")
    company.plan(
        "tiers",
        rate=None,
        tiers={"method": "marginal", "measure": "amount", "window": "quarter", "steps": STEPS},
    )
    company.plan("capped", rate="7.35", cap="120.00")
    company.plan(
        "lent", rate="4", basis="paid", draw={"amount": "60.00", "recoverable": True}, clawback_days=90
    )
    company.plan("roles", rate="3", roles={"opener": "2", "closer": "6.5"})
    company.plan(
        "tiers",
        rate=None,
        tiers={"method": "retroactive", "measure": "amount", "window": "quarter", "steps": STEPS},
    )
    for rep, plan in (
        ("head", "head"),
        ("ann", "tiers"),
        ("bob", "capped"),
        ("cid", "lent"),
        ("dan", "roles"),
    ):
        company.assign(rep, plan)
    _january(company)
    close_january()
    _february(company)
    _march_to_may(company)


def _january(company: Company) -> None:
    for deal, owner in (
        ("A1", "ann"),
        ("A2", "ann"),
        ("B1", "bob"),
        ("C1", "cid"),
        ("D1", "dan"),
        ("E1", "ann"),
    ):
        company.deal(deal, owner)
    company.win("A1", "800.00", "2026-01-10")
    company.win("B1", "2500.01", "2026-01-12")
    company.win("C1", "900.00", "2026-01-13")
    company.pay("P1", "C1", "450.50", "2026-01-20")
    company.win("D1", "1000.00", "2026-01-21")
    company.split(
        "D1", ("dan", "50", "opener"), ("ann", "33.33", "closer"), ("bob", "16.67"), on="2026-01-22"
    )


def _february(company: Company) -> None:
    company.dispute("bob", "2026-01", 1, "12.34")
    company.dispute("ann", "2026-01", 1, None, accepted=False)
    company.rate("EUR", "USD", "1.0834", "2026-02-10")
    company.win("E1", "300.00", "2026-02-10", "EUR")
    company.pay("P2", "C1", "3000.00", "2026-02-15")
    company.amend("B1", "2100.00", "2026-02-16")
    company.close("2026-02")


def _march_to_may(company: Company) -> None:
    company.refund("P1", "C1", "50.50", "2026-03-02")
    company.reopen("A1", "2026-03-03")
    company.dispute("bob", "2026-01", 1, "5.00")
    company.win("A1", "650.00", "2026-03-09")
    company.plan("head", rate="2", override="2")
    company.assign("head", "head", start="2026-03-01")
    company.close("2026-03")
    company.deal("B2", "bob")
    company.win("B2", "3000.00", "2026-01-30")
    company.leave("dan", "2026-04-11")
    company.close("2026-04", "2026-05")
