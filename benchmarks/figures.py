"""What a benchmark found."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`; where there is a peer, `target` is the least ratio to it, else the least value.

    `at_most` turns that round: the target is then the greatest value.
    """

    name: str
    value: float
    unit: str
    peer: float | None = None
    target: float | None = None
    at_most: bool = False

    @property
    def ratio(self) -> float | None:
        return None if self.peer is None else self.value / self.peer

    @property
    def reached(self) -> bool | None:
        if self.target is None:
            return None
        found = self.value if self.ratio is None else self.ratio
        return found <= self.target if self.at_most else found >= self.target


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
