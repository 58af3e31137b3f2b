"""Figures by their path in a report's own answer, such as `groups.rep-7.stages.Proposal.reached`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.kernel import Rejected

NOT_KNOWN = "-"
"""How the group of what isn't known is named."""
_NAMED_BY = {"stages": "stage", "groups": "key", "lines": "line", "statements": "rep"}
"""What names the elements of a list; those of others are counted from 0."""


class UnknownFigure(Rejected):
    """{figure} is no figure of {report}. There are: {figures}."""

    code = "unknown_figure"


class NotTraced(Rejected):
    """{figure} of {report} counts nothing that could be traced to events."""

    code = "not_traced"


@dataclass(frozen=True, slots=True)
class Place:
    """A figure's place: keys of objects, elements of lists by their name or, without one, by their number."""

    figure: str
    path: tuple[Any, ...]
    value: Any


def find(report: str, answer: Mapping[str, Any], figure: str) -> Place:
    """The figure in the answer, or an item of a list as a whole. Raises UnknownFigure.

    A name may have dots in it: of several that begin what is left of the path the longest is meant.
    """
    at: Any = answer
    path: list[Any] = []
    left = figure
    while left:
        steps = sorted(_steps(at, path), key=lambda step: -len(step[0]))
        fits = [step for step in steps if left == step[0] or left.startswith(f"{step[0]}.")]
        if not fits:
            break
        name, key, at = fits[0]
        path.append(key)
        left = left[len(name) + 1 :]
    if left or (isinstance(at, dict | list) and path[:1] != ["items"]) or path == ["items"]:
        known = [f"{name}.…" if isinstance(one, dict | list) else name for name, _, one in _steps(at, path)]
        raise UnknownFigure(report=report, figure=figure or "(unnamed)", figures=known or ["none"])
    return Place(figure, tuple(path), at)


def _steps(at: Any, path: Sequence[Any]) -> Iterable[tuple[str, Any, Any]]:
    """What can be named here: its name, key, and what is there."""
    if isinstance(at, dict):
        yield from ((name, name, one) for name, one in at.items())
    elif isinstance(at, list):
        by = _NAMED_BY.get(path[-1])
        for number, one in enumerate(at):
            if by is None:
                yield str(number), number, one
                continue
            name = NOT_KNOWN if one[by] is None else str(one[by])
            yield name, one[by], one
            if by == "line":
                yield name.rpartition("/")[2], one[by], one
