"""What decisions know of a pipeline."""

from dataclasses import dataclass

from domain.kernel import Decider, Event, Recorded
from domain.pipelines.events import PipelineDefined


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The version of a pipeline that is in force; `defined` is empty before the first."""

    id: str
    defined: PipelineDefined | None = None


def _evolve(pipeline: Pipeline, fact: Recorded[Event]) -> Pipeline:
    match fact.event:
        case PipelineDefined() as defined:
            return Pipeline(pipeline.id, defined)
        case _:
            return pipeline


PIPELINE = Decider[Pipeline](category="pipeline", initial=Pipeline, evolve=_evolve)
