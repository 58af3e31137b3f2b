"""Defining pipelines, and what they allow."""

from decimal import Decimal

import pytest
from scenario import Scenario

from domain.pipelines.decisions import UnknownLossReason, UnknownStage, define, loss_reason_of, stage_of
from domain.pipelines.events import PipelineDefined, Stage
from domain.pipelines.model import PIPELINE
from domain.shared.rejections import InvalidData, UnknownPipeline

STAGES = (Stage(name="new", probability=Decimal(10), days=7), Stage(name="talks"))
DEFINED = PipelineDefined(stages=STAGES, loss_reasons=("price", "no answer"), protection_days=90)


def test_a_pipeline_is_defined_with_its_stages_in_order() -> None:
    Scenario(PIPELINE, "sales").when(
        define, stages=STAGES, loss_reasons=["price", "no answer"], protection_days=90
    ).then(DEFINED)


def test_defining_the_same_again_changes_nothing() -> None:
    Scenario(PIPELINE, "sales").given(DEFINED).when(
        define, stages=list(STAGES), loss_reasons=["price", "no answer"], protection_days=90
    ).then_nothing()


@pytest.mark.parametrize("days", [30, 91])
def test_a_changed_definition_is_a_new_version_in_force_from_then_on(days: int) -> None:
    changed = DEFINED.model_copy(update={"protection_days": days})
    scenario = Scenario(PIPELINE, "sales").given(DEFINED)
    scenario.when(define, stages=STAGES, loss_reasons=["price", "no answer"], protection_days=days).then(
        changed
    )
    assert scenario.state.defined == changed


def test_the_order_of_the_stages_is_part_of_the_definition() -> None:
    Scenario(PIPELINE, "sales").given(DEFINED).when(
        define, stages=STAGES[::-1], loss_reasons=["price", "no answer"], protection_days=90
    ).then(DEFINED.model_copy(update={"stages": STAGES[::-1]}))


def test_a_stage_or_a_loss_reason_named_twice_is_refused() -> None:
    Scenario(PIPELINE, "sales").when(
        define, stages=[*STAGES, STAGES[0]], loss_reasons=[], protection_days=90
    ).then_rejected(InvalidData, field="stages", problem="new is named twice")
    Scenario(PIPELINE, "sales").when(
        define, stages=STAGES, loss_reasons=["price", "price"], protection_days=90
    ).then_rejected(InvalidData, field="loss_reasons")


def test_a_deal_begins_in_the_first_stage_or_in_the_one_named() -> None:
    pipeline = Scenario(PIPELINE, "sales").given(DEFINED).state
    assert (stage_of(pipeline, None), stage_of(pipeline, "talks")) == ("new", "talks")


def test_a_stage_that_the_pipeline_has_not_is_refused_naming_those_it_has() -> None:
    refusal = Scenario(PIPELINE, "sales").given(DEFINED).when(stage_of, "Talks").then_rejected(UnknownStage)
    assert refusal.message == "The pipeline sales has no stage 'Talks'; its stages are new, talks."


def test_a_loss_reason_is_from_the_pipelines_list() -> None:
    assert loss_reason_of(Scenario(PIPELINE, "sales").given(DEFINED).state, "price") == "price"
    Scenario(PIPELINE, "sales").given(DEFINED).when(loss_reason_of, "mood").then_rejected(
        UnknownLossReason, reason="mood", reasons=["price", "no answer"]
    )


def test_a_pipeline_that_was_never_defined_is_unknown() -> None:
    Scenario(PIPELINE, "sales").when(stage_of, "new").then_rejected(UnknownPipeline, pipeline="sales")
    Scenario(PIPELINE, "sales").when(loss_reason_of, "price").then_rejected(UnknownPipeline)
