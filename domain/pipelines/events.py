"""Facts about pipelines."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.kernel import Event


class Stage(BaseModel):
    """One step of a pipeline: `probability` in percent, `days` allowed in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    probability: Decimal | None = None
    days: int | None = None


class PipelineDefined(Event, stored_name="pipelines.PipelineDefined"):
    """A version of the pipeline: ordered stages, reasons for a loss, the claim's term in days."""

    stages: tuple[Stage, ...]
    loss_reasons: tuple[str, ...]
    protection_days: int
