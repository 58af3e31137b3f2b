"""What every step of the demo's story has at hand: chance, the clock, the team, the journal, the agenda."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from adapters.demo.chance import Chance
from adapters.demo.journal import Journal
from adapters.demo.people import Prospect, Rep
from adapters.demo.team import Team
from adapters.demo.working_time import WorkingTime

Step = Callable[[Prospect], None]
_ANY_TURN = -1


class Office:
    """One seeded run. `now` is the present moment in working seconds, `today` its counted calendar day.

    `revised` says that new-business was defined anew.
    """

    def __init__(self, seed: int, leads: int, clock: WorkingTime, source: str) -> None:
        self.chance = Chance(seed)
        self.clock = clock
        self.team = Team(self.chance, leads, clock.days)
        self.journal = Journal(source, clock)
        self.now = 0
        self.revised = False
        self.today = clock.ordinal(0)
        self._agenda: list[tuple[int, int, int, Step, Prospect]] = []
        self._planned = 0

    def next_visit(self, prospect: Prospect, step: Step, delay: int) -> None:
        """Plan the lead's next visit in so many working seconds, instead of any planned before."""
        prospect.turn += 1
        self._plan(prospect, step, delay, prospect.turn)

    def besides(self, prospect: Prospect, step: Step, delay: int) -> None:
        """Plan something that happens to the lead beside its visits."""
        self._plan(prospect, step, delay, _ANY_TURN)

    def do_next(self, before: int) -> bool:
        """Do the next step on the agenda; False if none is due before that moment."""
        if not self._agenda or self._agenda[0][0] >= before:
            return False
        when, _, turn, step, prospect = heappop(self._agenda)
        if not prospect.ended and turn in (_ANY_TURN, prospect.turn):
            self.go_to(when)
            step(prospect)
        return True

    def go_to(self, moment: int) -> None:
        self.now = moment
        self.today = self.clock.ordinal(moment)

    def tell(
        self,
        kind: str,
        prospect: Prospect,
        actor: str,
        data: dict[str, Any],
        *,
        subject: str | None = None,
        lag: int = 0,
    ) -> None:
        """Write an action on the lead that happened `lag` working seconds ago, yet after the one before."""
        prospect.last = max(prospect.last, self.now - lag)
        self.journal.write(
            kind, subject or prospect.subject, actor, data, occurred=prospect.last, recorded=self.now
        )

    def announce(self, kind: str, subject: str, data: dict[str, Any]) -> None:
        """Write an action of the office itself."""
        self.journal.write(kind, subject, "admin:office", data, occurred=self.now, recorded=self.now)

    def heir_of(self, prospect: Prospect, rep: Rep | None) -> None:
        """The lead changes hands; its present step is not the new owner's plan."""
        prospect.belongs_to(rep, self.today)
        prospect.inherited = True

    def _plan(self, prospect: Prospect, step: Step, delay: int, turn: int) -> None:
        self._planned += 1
        heappush(self._agenda, (self.now + max(delay, 1), self._planned, turn, step, prospect))
