"""Defining pipelines."""

from domain.leads.model import PROTECTION_DAYS
from domain.pipelines import decisions
from domain.pipelines.events import Stage
from domain.pipelines.model import PIPELINE
from services.desk import Desk
from services.payloads import DefinePipeline


class Pipelines:
    """One method per intention."""

    def define(self, desk: Desk, data: DefinePipeline) -> None:
        """A pipeline, or a new version of it."""
        if desk.actor.role not in ("service", "admin"):
            raise desk.actor.refuse("define pipelines", "only a service or an admin may")
        pipeline = desk.pipeline(desk.subject)
        stages = [Stage(name=one.name, probability=one.probability, days=one.days) for one in data.stages]
        events = decisions.define(
            pipeline,
            stages=stages,
            loss_reasons=data.loss_reasons or (),
            protection_days=data.protection_days or PROTECTION_DAYS,
        )
        desk.record(PIPELINE.stream(pipeline.id), events)
