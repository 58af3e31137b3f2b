"""How far do deals get, where do they stop, and how long do they stay in each stage?"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from projections import cohort, flow
from projections.asking import View
from projections.grouping import Dimension, Range, in_order
from projections.pipelines import stages as stages_of
from projections.tally import Figures, Tally

Kind = Literal["cohort", "flow"]


@dataclass(frozen=True, slots=True)
class Group(Figures):
    """The funnel of the deals of one rep, channel, product, branch or month; `key` None: not known."""

    key: str | None


@dataclass(frozen=True, slots=True)
class Funnel(Figures):
    """The funnel of a pipeline; `view` is cohort or flow."""

    pipeline: str
    view: Kind


@dataclass(frozen=True, slots=True)
class FunnelBy(Funnel):
    """The funnel of a pipeline, as a whole and by group."""

    groups: Sequence[Group]


def funnel(
    view: View,
    *,
    pipeline: str,
    kind: Kind = "cohort",
    by: Dimension | None = None,
    span: Range | None = None,
) -> Funnel:
    """The funnel of the deals opened in the span (cohort), or of the moves made in it (flow).

    Cohort: whatever became of those deals until the view's moment. A won deal has reached all stages.
    Flow: `deals` are those that entered a stage or closed in the span; a stage is reached by a deal that
    entered it or passed it on the way forward in the span (a win passes all that were left), so a conversion
    may exceed 1; `won` and `lost` are the deals with such a close in the span, though it was undone later;
    `open` the others of those deals; `current` those of them that are open in the stage at the view's moment;
    time in stage is that of the stays begun in the span. Raises UnknownPipeline.
    """
    stages, span = stages_of(view, pipeline), span or Range()
    means = cohort if kind == "cohort" else flow
    groups = means.tally(view, pipeline, stages, by, span)
    if by is None:
        return Funnel(**_columns(groups.get(None, Tally()).figures(stages)), pipeline=pipeline, view=kind)
    total = means.overall(view, pipeline, groups, span).figures(stages)
    return FunnelBy(
        **_columns(total),
        pipeline=pipeline,
        view=kind,
        groups=[Group(**_columns(groups[key].figures(stages)), key=key) for key in in_order(set(groups))],
    )


def _columns(figures: Figures) -> dict[str, Any]:
    return {column.name: getattr(figures, column.name) for column in fields(figures)}
