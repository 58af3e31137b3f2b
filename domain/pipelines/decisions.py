"""Defining pipelines, and asking them what they allow."""

from collections.abc import Sequence

from domain.kernel import Rejected
from domain.pipelines.events import PipelineDefined, Stage
from domain.pipelines.model import Pipeline
from domain.shared.rejections import InvalidData, UnknownPipeline


class UnknownStage(Rejected):
    """The pipeline {pipeline} has no stage {stage!r}; its stages are {stages}."""

    code = "unknown_stage"


class UnknownLossReason(Rejected):
    """The pipeline {pipeline} has no loss reason {reason!r}; its reasons are {reasons}."""

    code = "unknown_loss_reason"


def define(
    pipeline: Pipeline, *, stages: Sequence[Stage], loss_reasons: Sequence[str], protection_days: int
) -> Sequence[PipelineDefined]:
    """A new version of the pipeline. Raises InvalidData for a name used twice."""
    _distinct("stages", [stage.name for stage in stages])
    _distinct("loss_reasons", loss_reasons)
    defined = PipelineDefined(
        stages=tuple(stages), loss_reasons=tuple(loss_reasons), protection_days=protection_days
    )
    return [] if defined == pipeline.defined else [defined]


def known(pipeline: Pipeline) -> PipelineDefined:
    """The version in force; UnknownPipeline if there is none."""
    if pipeline.defined is None:
        raise UnknownPipeline(pipeline=pipeline.id)
    return pipeline.defined


def stage_of(pipeline: Pipeline, stage: str | None) -> str:
    """The stage named, or the first. Raises UnknownStage, UnknownPipeline."""
    names = [one.name for one in known(pipeline).stages]
    if stage is None:
        return names[0]
    if stage not in names:
        raise UnknownStage(pipeline=pipeline.id, stage=stage, stages=names)
    return stage


def loss_reason_of(pipeline: Pipeline, reason: str) -> str:
    """The reason, if it is on the pipeline's list. Raises UnknownLossReason, UnknownPipeline."""
    reasons = known(pipeline).loss_reasons
    if reason not in reasons:
        raise UnknownLossReason(pipeline=pipeline.id, reason=reason, reasons=list(reasons))
    return reason


def _distinct(field: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidData(field=field, problem=f"{', '.join(twice)} is named twice")
