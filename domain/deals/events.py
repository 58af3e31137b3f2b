"""Facts about deals. Amounts are decimal strings in the stored JSON, each beside its ISO 4217 currency."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.kernel import Event
from domain.shared.personal import PersonalText


class Share(BaseModel):
    """One rep's part of a deal, in percent, for the role they played."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rep: str
    role: str | None = None
    percent: Decimal


class DealOpened(Event, stored_name="deals.DealOpened"):
    """An attempt to sell to `lead` began; its clock runs from occurred_at."""

    lead: str
    pipeline: str
    title: PersonalText | None = None
    product: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


class StageEntered(Event, stored_name="deals.StageEntered"):
    """The deal came to a stage of its pipeline, from before or behind or by being opened in it."""

    stage: str


class DealAmended(Event, stored_name="deals.DealAmended"):
    """The amount was corrected."""

    amount: Decimal
    currency: str


class DealSplit(Event, stored_name="deals.DealSplit"):
    """The credit is shared; percents sum to 100."""

    shares: tuple[Share, ...]


class DealWon(Event, stored_name="deals.DealWon"):
    """The customer bought. `owner` is whose lead it was at that moment: 100 % of the credit unless split."""

    stage: str
    owner: str | None
    amount: Decimal | None = None
    currency: str | None = None


class DealLost(Event, stored_name="deals.DealLost"):
    """The deal failed in `stage` for a reason from the pipeline's list."""

    stage: str
    owner: str | None
    reason: str
    note: PersonalText | None = None


class DealReopened(Event, stored_name="deals.DealReopened"):
    """The close was undone: the deal is open again in `stage`; its earlier close stays in history."""

    stage: str
    reason: str
