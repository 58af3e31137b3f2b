"""Which stages does a pipeline have, and which reasons for a loss?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from domain.kernel import Event, Recorded
from domain.pipelines.events import PipelineDefined
from domain.shared.rejections import UnknownPipeline
from projections.asking import View
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class PipelineRow(Row):
    """The version of a pipeline that is in force, `stages` their number; its stages are `StageRow`s."""

    table: ClassVar[str] = "pipeline"
    key: ClassVar[tuple[str, ...]] = ("pipeline",)

    pipeline: str
    version: int
    stages: int
    loss_reasons: tuple[str, ...]
    protection_days: int
    defined_at: datetime
    defined_position: int


@dataclass(slots=True)
class StageRow(Row):
    """A stage, counted from 1: `probability` in percent, `days` allowed in it."""

    table: ClassVar[str] = "stage"
    key: ClassVar[tuple[str, ...]] = ("pipeline", "ordinal")

    pipeline: str
    ordinal: int
    name: str
    probability: Decimal | None
    days: int | None


class Pipelines(Projection):
    """Which stages does a pipeline have?"""

    name = "pipelines"
    category = "pipeline"
    rows = (PipelineRow, StageRow)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case PipelineDefined() as defined:
                before = rows.find(PipelineRow, fact.entity)
                for ordinal in range(len(defined.stages) + 1, (before.stages if before else 0) + 1):
                    rows.delete(StageRow, fact.entity, ordinal)
                for ordinal, stage in enumerate(defined.stages, start=1):
                    rows.put(StageRow(fact.entity, ordinal, stage.name, stage.probability, stage.days))
                rows.put(
                    PipelineRow(
                        pipeline=fact.entity,
                        version=before.version + 1 if before else 1,
                        stages=len(defined.stages),
                        loss_reasons=defined.loss_reasons,
                        protection_days=defined.protection_days,
                        defined_at=fact.occurred_at,
                        defined_position=fact.position,
                    )
                )


def stages(view: View, pipeline: str) -> tuple[str, ...]:
    """The names of the stages in order. Raises UnknownPipeline."""
    must_know_pipeline(view, pipeline)
    rows = view.ask(
        "SELECT name FROM stage WHERE pipeline = %(pipeline)s ORDER BY ordinal", pipeline=pipeline
    )
    return tuple(name for (name,) in rows)


def must_know_pipeline(view: View, pipeline: str) -> None:
    """Raises UnknownPipeline for one that nobody defined."""
    if not view.ask("SELECT FROM pipeline WHERE pipeline = %(pipeline)s", pipeline=pipeline):
        raise UnknownPipeline(pipeline=pipeline)
