"""Seeded chance that draws the same on every machine: exact float arithmetic only, nothing from libm."""

from bisect import bisect_right
from collections.abc import Sequence
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

_SPREAD = (0.2, 0.34, 0.46, 0.6, 0.78, 1.0, 1.3, 1.65, 2.2, 3.0, 4.8)
"""Deciles of a long-tailed duration in units of its median."""


class Chance:
    """Draws in a fixed order from one seed."""

    __slots__ = ("draw",)

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed).random

    def yes(self, probability: float) -> bool:
        return self.draw() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely. Raises IndexError if there is none."""
        return items[int(self.draw() * len(items))]

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both inclusive."""
        return low + int(self.draw() * (high - low + 1))

    def skewed(self, median: int) -> int:
        """A duration like those of people's work: mostly near the median, now and then much longer."""
        place = self.draw() * 10
        decile = int(place)
        low = _SPREAD[decile]
        return int(median * (low + (_SPREAD[decile + 1] - low) * (place - decile)))


class Wheel(Generic[T]):
    """Items drawn by their weights."""

    __slots__ = ("_items", "_sums")

    def __init__(self, weighted: Sequence[tuple[T, int]]) -> None:
        self._items = [item for item, _ in weighted]
        self._sums: list[int] = []
        for _, weight in weighted:
            self._sums.append(weight + (self._sums[-1] if self._sums else 0))

    def spin(self, chance: Chance) -> T:
        return self._items[bisect_right(self._sums, int(chance.draw() * self._sums[-1]))]
