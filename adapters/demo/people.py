"""Reps, and the leads in their hands: what the generator remembers so that most actions are accepted."""

from dataclasses import dataclass, field

from adapters.demo.catalogue import (
    CLAIM_HOLDS_DAYS,
    CLAIM_LAPSED_DAYS,
    NEW_BUSINESS,
    SITE,
    Channel,
    Pipeline,
    Product,
)
from adapters.demo.customers import Customer


@dataclass(slots=True, eq=False)
class Rep:
    """`skill` multiplies the odds to win. A `careful` rep never leaves a lead without a next step in time.

    `diligence` is the chance that somebody else plans and keeps a step. `promised` are the planned steps
    that they are to do, also with leads that aren't theirs any more, and when each is due.
    """

    id: str
    name: str
    branch: str
    head: "Rep | None"
    skill: float = 1.0
    diligence: float = 1.0
    careful: bool = True
    active: bool = False
    leads: dict[str, "Prospect"] = field(default_factory=dict)
    promised: dict[str, int] = field(default_factory=dict)

    def in_order(self, now: int, today: int) -> bool:
        """Whether all their open leads have a next step and none is due: who gets leads from the pool."""
        for subject in [lead.subject for lead in self.leads.values() if lead.lapsed(today)]:
            del self.leads[subject]
        return all(due > now for due in self.promised.values()) and all(
            lead.has_step(now) and not lead.inherited for lead in self.leads.values()
        )

    def surely_behind(self, now: int, today: int) -> bool:
        """Whether some open lead of theirs surely has no next step, or one that is due since a minute."""
        return any(
            lead.holds(today) and not lead.inherited and not lead.has_step(now - 60)
            for lead in self.leads.values()
        )


@dataclass(slots=True, eq=False)
class Prospect:
    """A lead as its sender knows it. Moments are working seconds, `worked_on` is a counted calendar day.

    `turn` numbers the planned visits to it: one that was planned anew is passed over.
    """

    customer: Customer
    subject: str
    channel: Channel = SITE
    owner: Rep | None = None
    worked_on: int = 0
    last: int = 0
    turn: int = 0
    tries: int = 0
    task: str | None = None
    tasks: int = 0
    due: int = 0
    assignee: Rep | None = None
    inherited: bool = False
    deal: str | None = None
    deals: int = 0
    closed: bool = False
    pipeline: Pipeline = NEW_BUSINESS
    stage: int = 0
    product: Product | None = None
    amount: int = 0
    currency: str = "USD"
    partner: Rep | None = None
    bought: bool = False
    ended: bool = False

    def has_step(self, now: int) -> bool:
        return self.task is not None and self.due > now

    def promise(self, rep: Rep, due: int) -> str:
        """The rep plans the next step, or plans the open one anew; gives its id."""
        if self.task is None:
            self.tasks += 1
        else:
            self.fulfil()
        self.task, self.due, self.assignee = f"{self.subject}/{self.tasks}", due, rep
        rep.promised[self.task] = due
        return self.task

    def fulfil(self) -> None:
        """The planned step, if there is one, needs no doing any more."""
        if self.task is not None and self.assignee is not None:
            del self.assignee.promised[self.task]
        self.task = self.assignee = None

    def holds(self, today: int) -> bool:
        """Whether the owner's claim surely holds."""
        return self.owner is not None and today - self.worked_on < CLAIM_HOLDS_DAYS

    def lapsed(self, today: int) -> bool:
        """Whether the claim surely lapsed."""
        return today - self.worked_on > CLAIM_LAPSED_DAYS

    def belongs_to(self, rep: Rep | None, today: int) -> None:
        """From now on the lead is the rep's, or the pool's."""
        if self.owner is not None:
            self.owner.leads.pop(self.subject, None)
        self.owner = rep
        self.worked_on = today
        if rep is not None:
            rep.leads[self.subject] = self

    def end(self) -> None:
        """Nothing more will happen to it."""
        self.ended = True
        if self.owner is not None:
            self.owner.leads.pop(self.subject, None)
