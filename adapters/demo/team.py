"""Who sells: branches with heads, reps of different skill, some who come later and some who leave."""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.demo.chance import Chance
from adapters.demo.customers import BRANCHES
from adapters.demo.names import FIRST_NAMES, LAST_NAMES
from adapters.demo.people import Rep

_LEADS_PER_REP = 90
_REPS_MIN, _REPS_MAX = 9, 600


@dataclass(frozen=True, slots=True)
class Change:
    """A rep joins, or leaves for good: then `leaves` is set, and `heir` may take the leads over."""

    rep: Rep
    leaves: bool = False
    heir: Rep | None = None


class Team:
    """The reps at work, by branch, and the changes to come, by working day."""

    def __init__(self, chance: Chance, leads: int, days: int) -> None:
        """A team for so many leads in so many working days."""
        size = min(max(leads // _LEADS_PER_REP, _REPS_MIN), _REPS_MAX)
        self._names: set[str] = set()
        self._count = 0
        self._chance = chance
        self.director = self._person("", None)
        self.heads = [self._person(branch, self.director) for branch in BRANCHES]
        self.sellers: dict[str, list[Rep]] = {branch: [] for branch in BRANCHES}
        self._changes: dict[int, list[Change]] = {0: [Change(head) for head in (self.director, *self.heads)]}
        hired = [self._seller(n) for n in range(size)]
        for n, rep in enumerate(hired):
            later = n >= len(BRANCHES) * 2 and chance.yes(0.3)
            self._plan(chance.between(days // 12, days * 2 // 3) if later else 0, Change(rep))
        self._plan_leaving(hired, days)

    def changes_on(self, day: int) -> Iterator[Change]:
        """The changes of that working day, carried out one by one as they are taken."""
        for change in self._changes.get(day, ()):
            change.rep.active = not change.leaves
            if change.rep.head is not None and change.rep.head is not self.director:
                at_work = self.sellers[change.rep.branch]
                if change.leaves:
                    at_work.remove(change.rep)
                else:
                    at_work.append(change.rep)
            yield change

    def one_of(self, branch: str) -> Rep:
        return self._chance.pick(self.sellers[branch])

    def other_than(self, rep: Rep) -> Rep | None:
        """A colleague, mostly of the same branch; None if there is none."""
        branch = rep.branch if self._chance.yes(0.8) else self._chance.pick(BRANCHES)
        other = self.one_of(branch)
        return None if other is rep else other

    def _plan(self, day: int, change: Change) -> None:
        self._changes.setdefault(day, []).append(change)

    def _plan_leaving(self, hired: list[Rep], days: int) -> None:
        """Every tenth leaves, two at least: by turns with a successor and without."""
        stayers = hired[: len(BRANCHES)]
        for n, rep in enumerate(hired[len(BRANCHES) : len(BRANCHES) + max(2, len(hired) // 10)]):
            day = self._chance.between(days * 3 // 4, days * 19 // 20)
            heir = next(stayer for stayer in stayers if stayer.branch == rep.branch) if n % 2 == 0 else None
            self._plan(day, Change(rep, leaves=True, heir=heir))

    def _seller(self, n: int) -> Rep:
        rep = self._person(BRANCHES[n % len(BRANCHES)], self.heads[n % len(BRANCHES)])
        rep.skill = 0.6 + 0.9 * self._chance.draw()
        rep.careful = n % 5 < 2
        rep.diligence = 1.0 if rep.careful else 0.7 + 0.27 * self._chance.draw()
        return rep

    def _person(self, branch: str, head: Rep | None) -> Rep:
        self._count += 1
        name = f"{self._chance.pick(FIRST_NAMES)} {self._chance.pick(LAST_NAMES)}"
        while name in self._names:
            name = f"{self._chance.pick(FIRST_NAMES)} {self._chance.pick(LAST_NAMES)}"
        self._names.add(name)
        return Rep(f"rep-{self._count}", name, branch, head)
