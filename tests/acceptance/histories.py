"""Random companies told through the real intake, with a clock that the test moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from brute_force import Told

from adapters.postgres.books import Books
from adapters.postgres.database import Database
from adapters.postgres.lookups import Lookups
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.store import PostgresStore
from adapters.wiring import PROJECTIONS
from services.intake import Intake, Submission

BEGIN = datetime(2026, 1, 20, 7, 30, tzinfo=UTC)
REPS = ("ann", "bob", "cid", "dan", "eva", "flo")
STAGES = ("Call", "Meeting", "Offer", "Contract")
PRODUCTS = ("Gold", "Iron", None)
CURRENCIES = ("USD", "EUR", "JPY")


class History:
    """Actions by a seeded chance; whatever the engine refuses is left out, as in life."""

    def __init__(self, url: str, seed: int) -> None:
        self.chance = random.Random(seed)
        self.exact = False
        self.now = BEGIN
        self.accepted: dict[str, int] = {}
        self._ids = 0
        self.database = Database(url)
        self.store = PostgresStore(self.database)
        self.projector = Projector(self.database, PROJECTIONS)
        needed = [one for one in PROJECTIONS if one.name in Lookups.READS]
        self.intake = Intake(
            self.store,
            secret=b"x" * 32,
            claims=Lookups(Projector(self.database, needed)),
            books=Books(
                self.store,
                Projector(self.database, [one for one in PROJECTIONS if one.name in Books.READS]),
                zone=ZoneInfo("UTC"),
                currency="USD",
            ),
            clock=lambda: self.now,
            currency="USD",
        )
        self.leads: list[str] = []
        self.merged: list[str] = []
        self.deals: list[str] = []
        self.lead_of: dict[str, str] = {}
        self.tasks: list[tuple[str, str]] = []

    def close(self) -> None:
        self.database.close()

    def act(
        self,
        deed: str,
        subject: str,
        actor: str = "admin:eve",
        /,
        *,
        occurred: datetime | None = None,
        **data: Any,
    ) -> bool:
        """Send an action; whether it was accepted."""
        self._ids += 1
        action = {
            "specversion": "1.0",
            "id": f"a-{self._ids}",
            "source": "random",
            "type": deed,
            "subject": subject,
            "time": (occurred or self._occurred()).isoformat(),
            "actor": actor,
            "data": data,
        }
        (answer,) = self.intake.submit([Submission(action)])
        if answer.error is None:
            self.accepted[deed] = self.accepted.get(deed, 0) + 1
        return answer.error is None

    def _occurred(self) -> datetime:
        """Mostly just now, sometimes recorded late, and now and then with a date that cannot be."""
        if self.exact:
            return self.now
        late = self.chance.random()
        if late < 0.75:
            return self.now - timedelta(seconds=self.chance.randint(0, 600))
        if late < 0.97:
            return self.now - timedelta(hours=self.chance.uniform(1, 24 * 12))
        return self.now - timedelta(days=self.chance.uniform(20, 300))

    def live(self, actions: int) -> None:
        """The company is founded, and so many things are tried."""
        self._define("sales")
        self._define("rental")
        for place, rep in enumerate(REPS):
            manager = None if place < 2 else REPS[place % 2]
            self.act(
                "rep.hire", rep, name=rep.title(), manager=manager, branch=("North", None, "South")[place % 3]
            )
        deeds = self._deeds()
        names, weights = list(deeds), [weight for weight, _ in deeds.values()]
        for turn in range(actions):
            self.now += timedelta(hours=self.chance.expovariate(1 / 9))
            deeds[self.chance.choices(names, weights)[0]][1]()
            if self.chance.random() < 0.02:
                self.intake.lapse()
            if turn == actions // 3:
                self._dirt()

    def _define(self, pipeline: str, stages: tuple[str, ...] = STAGES) -> None:
        self.act(
            "pipeline.define",
            pipeline,
            stages=[{"name": stage, "probability": "10", "days": 5} for stage in stages],
            loss_reasons=["price", "time", "silence"],
            protection_days=25,
        )

    def _deeds(self) -> dict[str, tuple[float, Callable[[], object]]]:
        pick = self.chance.choice
        return {
            "register": (14, self._register),
            "open": (16, self._open),
            "move": (24, lambda: self._deal("deal.move", stage=pick(STAGES))),
            "win": (8, self._win),
            "lose": (6, lambda: self._deal("deal.lose", reason=pick(("price", "time", "silence")))),
            "reopen": (5, lambda: self._deal("deal.reopen", reason="they called")),
            "amend": (4, lambda: self._deal("deal.amend", **self._money())),
            "split": (3, self._split),
            "contact": (14, self._contact),
            "plan": (12, self._plan),
            "finish": (8, self._finish),
            "merge": (4, self._merge),
            "unmerge": (3, lambda: self.merged and self.act("lead.unmerge", pick(self.merged))),
            "assign": (3, lambda: self._lead("lead.assign", rep=pick(REPS), reason="conflict")),
            "release": (2, lambda: self._lead("lead.release", reason="no time")),
            "claim": (4, lambda: self._lead("lead.claim", pick(REPS))),
            "disqualify": (1, lambda: self._lead("lead.disqualify", reason="bankrupt")),
            "redefine": (0.5, self._redefine),
            "transfer": (0.7, self._transfer),
            "leave": (0.3, self._leave),
        }

    def _dirt(self) -> None:
        """What chance may leave out: won for nothing named, won twice, won before it was opened."""
        self.act("lead.register", "L-dirt", "ann", keys={"external": "dirt"})
        for deal in ("D-free", "D-twice", "D-early"):
            self.act("deal.open", deal, "ann", lead="L-dirt", pipeline="sales")
            self.now += timedelta(days=1)
        self.act("deal.win", "D-free", "ann")
        for amount in ("10", "12"):
            self.act("deal.win", "D-twice", "ann", amount=amount)
            self.now += timedelta(days=1)
            if amount == "10":
                self.act("deal.reopen", "D-twice", "ann", reason="they called")
        self.act("deal.win", "D-early", "ann", occurred=self.now - timedelta(days=30))

    def _register(self) -> None:
        lead = f"L-{len(self.leads) + 1}"
        data: dict[str, Any] = {
            "keys": {"external": f"x{self.chance.randint(1, 60)}"},
            "name": f"Firm {lead}",
        }
        for what, values in (("channel", ("site", "fair", None)), ("branch", ("North", "East", None, None))):
            if value := self.chance.choice(values):
                data[what] = value
        actor = self.chance.choice((*REPS, "service:site"))
        if self.act("lead.register", lead, actor, **data):
            self.leads.append(lead)

    def _open(self) -> None:
        deal = f"D-{len(self.deals) + 1}"
        data: dict[str, Any] = {"lead": self.chance.choice(self.leads or ["none"]), "pipeline": "sales"}
        if self.chance.random() < 0.15:
            data["pipeline"] = "rental"
        if self.chance.random() < 0.3:
            data["stage"] = self.chance.choice(STAGES)
        if product := self.chance.choice(PRODUCTS):
            data["product"] = product
        if self.chance.random() < 0.7:
            data |= self._money()
        if self.act("deal.open", deal, **data):
            self.deals.append(deal)
            self.lead_of[deal] = data["lead"]

    def _money(self) -> dict[str, str]:
        currency = self.chance.choice(CURRENCIES)
        cents = "" if currency == "JPY" else f".{self.chance.randint(0, 99):02}"
        return {"amount": f"{self.chance.randint(-20, 3000)}{cents}".replace("-0", "0"), "currency": currency}

    def _win(self) -> None:
        self._deal("deal.win", **(self._money() if self.chance.random() < 0.5 else {}))

    def _split(self) -> None:
        one, other = self.chance.sample(REPS, 2)
        shares = [{"rep": one, "role": "opener", "percent": "30"}, {"rep": other, "percent": "70"}]
        self._deal("deal.split", shares=shares)

    def _deal(self, deed: str, /, **data: Any) -> bool:
        return bool(self.deals) and self.act(deed, self.chance.choice(self.deals), **data)

    def _lead(self, deed: str, actor: str = "admin:eve", /, **data: Any) -> bool:
        return bool(self.leads) and self.act(deed, self.chance.choice(self.leads), actor, **data)

    def _merge(self) -> None:
        lead, into = (self.chance.choice(self.leads or ["none"]) for _ in range(2))
        if self.act("lead.merge", lead, into=into):
            self.merged.append(lead)

    def _contact(self) -> None:
        self._lead("contact.record", self.chance.choice(REPS), kind="call", direction="out", outcome="spoke")

    def _plan(self) -> None:
        lead, task = self.chance.choice(self.leads or ["none"]), f"T-{len(self.tasks) + 1}"
        data: dict[str, Any] = {"task": task, "kind": "call"}
        data["due_at"] = (self.now + timedelta(days=self.chance.uniform(-2, 20))).isoformat()
        if self.deals and self.chance.random() < 0.5:
            data["deal"] = self.chance.choice(self.deals)
            lead = self.lead_of[data["deal"]]
        if self.chance.random() < 0.4:
            data["assignee"] = self.chance.choice(REPS)
        if self.act("task.plan", lead, **data):
            self.tasks.append((lead, task))

    def _finish(self) -> None:
        if self.tasks:
            lead, task = self.chance.choice(self.tasks)
            if self.chance.random() < 0.6:
                self.act("task.complete", lead, task=task, result="spoke")
            else:
                self.act("task.cancel", lead, task=task, reason="moot")

    def _redefine(self) -> None:
        stages = [*STAGES, "Pilot"]
        self.chance.shuffle(stages)
        self._define("sales", tuple(stages[: self.chance.randint(3, 5)]))

    def _transfer(self) -> None:
        rep = self.chance.choice(REPS)
        branch = self.chance.choice(("North", "South", "West", None))
        self.act(
            "rep.hire", rep, name=rep.title(), manager=self.chance.choice((None, "ann", "bob")), branch=branch
        )

    def _leave(self) -> None:
        self.act("rep.leave", self.chance.choice(REPS[2:]), successor=self.chance.choice((None, "ann")))

    def events(self) -> list[Told]:
        """The log as an auditor reads it."""
        with self.database.connection() as connection:
            rows = connection.execute(
                "SELECT position, stream, name, occurred_at, recorded_at, actor, data"
                " FROM log.events ORDER BY position"
            ).fetchall()
        return [Told(*row) for row in rows]
