"""Deals counted by stage and outcome, and the figures that follow."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from projections.asking import ratio

Spread = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class StageFigures:
    """`reached`: entered this or a later stage; `conversion` to the next stage, after the last to the win."""

    stage: str
    reached: int
    current: int
    lost: int
    conversion: float | None
    median_days: float | None
    p90_days: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The funnel of some deals; `leads` are distinct, money is per currency."""

    leads: int
    deals: int
    open: int
    won: int
    lost: int
    won_amount: Mapping[str, Decimal]
    win_rate_closed: float | None
    win_rate_all: float | None
    stages: Sequence[StageFigures]
    loss_reasons: Mapping[str, int]


@dataclass(slots=True)
class Tally:
    """Deals counted for one group, before they become figures. `reached` is by the stage's ordinal."""

    counts: Counter[str] = field(default_factory=Counter)
    reached: Counter[int] = field(default_factory=Counter)
    visited: Counter[str] = field(default_factory=Counter)
    current: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    spreads: dict[str, Spread] = field(default_factory=dict)

    @classmethod
    def whole(cls, groups: Iterable["Tally"]) -> "Tally":
        """All the groups' deals, each being in one of them. Leads and times can't be added up so."""
        whole = cls()
        for group in groups:
            whole.counts += group.counts
            whole.reached += group.reached
            whole.visited += group.visited
            whole.current += group.current
            whole.lost += group.lost
            whole.reasons += group.reasons
            for currency, amount in group.amounts.items():
                whole.earn(currency, amount)
        return whole

    def earn(self, currency: str | None, amount: Decimal | None) -> None:
        if currency is not None and amount is not None:
            self.amounts[currency] = self.amounts.get(currency, Decimal(0)) + amount

    def close_as_lost(self, stage: str, reason: str, deals: int) -> None:
        self.counts["lost"] += deals
        self.lost[stage] += deals
        self.reasons[reason] += deals

    def figures(self, stages: Sequence[str]) -> Figures:
        won, lost, deals = (self.counts[name] for name in ("won", "lost", "deals"))
        return Figures(
            leads=self.counts["leads"],
            deals=deals,
            open=self.counts["open"],
            won=won,
            lost=lost,
            won_amount=dict(sorted(self.amounts.items())),
            win_rate_closed=ratio(won, won + lost),
            win_rate_all=ratio(won, deals),
            stages=[*self._listed(stages, won), *self._retired(stages)],
            loss_reasons=dict(sorted(self.reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        )

    def _listed(self, stages: Sequence[str], won: int) -> Iterable[StageFigures]:
        for ordinal, stage in enumerate(stages, start=1):
            further = self.reached[ordinal + 1] if ordinal < len(stages) else won
            yield self._stage(stage, self.reached[ordinal], ratio(further, self.reached[ordinal]))

    def _retired(self, stages: Sequence[str]) -> Iterable[StageFigures]:
        """Stages that only an earlier version of the pipeline had: nothing is dropped."""
        for stage in sorted(self.visited.keys() - set(stages)):
            yield self._stage(stage, self.visited[stage], None)

    def _stage(self, stage: str, reached: int, conversion: float | None) -> StageFigures:
        median, p90 = self.spreads.get(stage, (None, None))
        return StageFigures(stage, reached, self.current[stage], self.lost[stage], conversion, median, p90)


Tallies = dict[str | None, Tally]
