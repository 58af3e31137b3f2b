"""A company of two teams whose figures tell whose they are, and every question of the API about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payday import Payday

TEAM = ("head", "ann", "bob")
"""Head's, as ann and bob are below; zed is boss's."""
ZEDS = ("55501", "66603", "22206", "11105", "987654", "zed is wrong")
"""Amounts of zed's deals and payments, zed's quota, and what zed disputes."""
BOBS = ("44402", "38.3")
"""The amount of bob's deal, and bob's part of the deal shared with ann."""
NOBODYS = ("77704",)
"""A payment that belongs to no deal."""
CUSTOMERS = ("Customer of", "Title of", "What was said")
"""How every personal text begins."""


def founded(url: str) -> Payday:
    """September is closed; ann's lead L-D-old was zed's, who won a deal with it."""
    company = Payday(url).founded("ann", "bob")
    steps = [{"above": "0", "percent": "3"}, {"above": "100", "percent": "4"}]
    tiers = {"method": "retroactive", "measure": "attainment", "window": "month", "steps": steps}
    quota = {"default": "50", "reps": {"zed": "987654"}}
    plan = {"name": "Quota", "currency": "USD", "basis": "won", "tiers": tiers, "quota": quota}
    company.do("rep.hire", "boss", {"name": "Boss"})
    company.do("rep.hire", "zed", {"name": "Zed", "manager": "boss"})
    company.do("plan.publish", "quota", plan)
    for rep in ("ann", "zed"):
        company.do("plan.assign", rep, {"plan": "quota", "from": "2020-01-01"})
    _sell(company)
    company.on("2026-10-05T00:00:00Z").close("2026-09")
    company.do("statement.dispute", "2026-09/zed", {"line": 1, "reason": "zed is wrong"}, actor="zed")
    company.do("statement.dispute", "2026-09/ann", {"line": 1, "reason": "ann is wrong"}, actor="ann")
    assert company.projector.catch_up() == []
    return company


def _sell(company: Payday) -> None:
    for deal, amount, rep in (
        ("D-ann", "100", "ann"),
        ("D-bob", "44402", "bob"),
        ("D-zed", "55501", "zed"),
        ("D-old", "66603", "zed"),
    ):
        _open(company, deal, amount, rep)
        company.do("deal.win", deal)
    _open(company, "D-both", "300", "ann")
    shares = [{"rep": "ann", "percent": "61.7"}, {"rep": "bob", "percent": "38.3"}]
    company.do("deal.split", "D-both", {"shares": shares})
    company.do("deal.win", "D-both")
    company.do("lead.assign", "L-D-old", {"rep": "ann", "reason": "distribution"})
    for rep, amount in (("ann", "900"), ("zed", "22206")):
        _open(company, f"D-{rep}-open", amount, rep)
        _open(company, f"D-{rep}-idle", amount, rep)
    for payment, deal, amount in (("P-zed", "D-zed", "11105"), ("P-ghost", None, "77704")):
        company.do("payment.record", deal, {"payment": payment, "amount": amount, "currency": "USD"})
    talk = {"kind": "call", "direction": "out", "outcome": "spoke", "note": "What was said"}
    for actor, deal in (("bob", "D-ann-open"), ("ann", "D-zed-open")):
        company.do("contact.record", f"L-{deal}", talk, actor=actor)
    for rep in ("ann", "zed"):
        planned = {"task": f"T-{rep}", "due_at": "2026-09-11T09:00:00Z", "kind": "call"}
        company.do("task.plan", f"L-D-{rep}-open", planned, actor=rep)
    company.submit(
        company.action("lead.register", "L-try", {"keys": {"external": "D-zed-open"}}, actor="bob"),
        company.action("lead.register", "L-try", {"keys": {"external": "D-ann-open"}}, actor="zed"),
    )
    company.do(
        "lead.register", "L-pool", {"keys": {"external": "pool"}, "owner": None, "name": "Customer of no one"}
    )


def _open(company: Payday, deal: str, amount: str, rep: str) -> None:
    lead = {"keys": {"external": deal}, "owner": rep, "name": f"Customer of {rep}"}
    company.do("lead.register", f"L-{deal}", lead)
    offer = {"lead": f"L-{deal}", "pipeline": "sales", "title": f"Title of {deal}"}
    company.do("deal.open", deal, offer | {"amount": amount, "currency": "USD"})


@dataclass(frozen=True, slots=True)
class Question:
    """A request for an operation; `of` is the rep whom it is about, in one way or another."""

    operation: str
    path: str
    of: str | None = None
    sent: Mapping[str, Any] | None = None


PLAN = {"name": "Draft", "currency": "USD", "basis": "won", "rate": "1"}
LISTS = {
    "neglected": "/neglected",
    "overdue": "/overdue",
    "encroachments": "/encroachments",
    "refusals": "/refusals",
    "exceptions": "/payroll/exceptions",
    "disputes": "/payroll/disputes",
    "assignments": "/payroll/assignments",
}
REPS = ("ann", "bob", "head", "zed", "nobody")
"""Nobody is nobody's name."""
FILES = ("csv", "html", "pdf")


def questions() -> Iterator[Question]:
    """Every operation but act, about everybody."""
    for by in ("", "&by=rep", "&by=month", "&by=channel"):
        for view in ("cohort", "flow"):
            yield Question("funnel", f"/funnel?pipeline=sales&view={view}{by}")
        yield Question("cycle_time", f"/cycle-time?pipeline=sales{by}")
    yield Question("pool", "/pool")
    yield Question("periods", "/payroll/periods")
    yield Question("plans", "/payroll/plans")
    yield Question("ghosts", "/payroll/ghosts")
    yield Question("simulate", "/payroll/simulate?from=2026-09-01&to=2026-09-30", sent=PLAN)
    yield Question("events", "/events?limit=5000")
    yield Question("checkpoints", "/audit/checkpoints")
    yield Question("checkpoints", "/audit/checkpoints/latest")
    yield Question("consistency", "/audit/proofs?from={first}&to={size}")
    yield Question("proof", "/audit/proofs/{issued}")
    for operation, path in LISTS.items():
        yield Question(operation, path)
    for period in ("2026-09", "2026-10"):
        yield Question("statements", f"/payroll/statements?period={period}")
    yield Question("refusals", "/refusals?lead=L-D-zed-open", "zed")
    for operation, path, whose in (
        ("deal", "/deals/D-both", "ann"),
        ("lead", "/leads/L-D-both", "ann"),
        ("lead", "/leads/L-D-old", "ann"),
        ("owner", "/owners/L-D-old", "ann"),
        ("deal", "/deals/D-old", "zed"),
    ):
        yield Question(operation, path, whose)
    for rep in REPS:
        yield from _of(rep)


def _of(rep: str) -> Iterator[Question]:
    for operation, path in LISTS.items():
        yield Question(operation, f"{path}?rep={rep}", rep)
    yield Question("queue", f"/queue/{rep}", rep)
    yield Question("scorecard", f"/scorecards/{rep}", rep)
    for period in ("2026-09", "2026-10"):
        yield Question("statement", f"/payroll/statements/{period}/{rep}", rep)
    for form in FILES if rep in ("ann", "zed") else FILES[:2]:
        yield Question("statement", f"/payroll/statements/2026-09/{rep}?format={form}", rep)
    yield Question("bundle", f"/audit/bundles/2026-09/{rep}", rep)
    if rep == "head":  # Sells nothing.
        return
    yield Question("explain", f"/payroll/explain/2026-09/{rep}/1", rep)
    yield Question("explain", f"/payroll/explain/2026-09/{rep}/2", rep)
    for when in ("", "?as_of=2026-09-30", "?as_of=%2340&axis=recorded", "?as_of=2026-09-30&axis=occurred"):
        yield Question("deal", f"/deals/D-{rep}{when}", rep)
        yield Question("lead", f"/leads/L-D-{rep}{when}", rep)
        yield Question("owner", f"/owners/L-D-{rep}{when}", rep)
