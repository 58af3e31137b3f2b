"""What each type of action carries, as the contract's table says. A new action is one class here."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from domain.deals.events import Share
from domain.pipelines.events import Stage

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Note = Annotated[str, StringConstraints(max_length=20_000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
DAYS_MAX = 36_500
A_NUMBER = 'must be a number, such as "1234.50"'
_NO_NUMBER = re.compile(r"[^0-9.eE+-]").search  # Decimal would take 1_000, and digits of any script.


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError(f'write it as a string, such as "{value}", so that nothing is lost')
    if isinstance(value, bool) or (isinstance(value, str) and _NO_NUMBER(value)):
        raise ValueError(A_NUMBER)
    return value


class NoOffset(ValueError):  # noqa: N818 - named for what is wrong
    """The time doesn't say how far it is from UTC."""


def read_moment(text: str) -> datetime:
    """A time as RFC 3339 has it, in UTC. Raises NoOffset, or ValueError with what is wrong."""
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            raise NoOffset
        moment = moment.astimezone(UTC)
    except NoOffset:
        raise
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time such as 2026-10-02T09:15:00+03:00") from None
    if moment.year in (MINYEAR, MAXYEAR):
        # In another time zone it may lie outside of the calendar, and no report could show it.
        raise ValueError(f"{text!r} is not a time from the year {MINYEAR + 1} to {MAXYEAR - 1}")
    return moment


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be a time as text, such as 2026-10-02T09:15:00+03:00")
    return read_moment(value)


def _day(value: Any) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("must be a date such as 2026-10-31")


Exact = Annotated[Decimal, BeforeValidator(_exact), Field(allow_inf_nan=False)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]


class Payload(BaseModel):
    """The data of one type of action. `needs_subject` is False where the subject may be null."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    needs_subject: ClassVar[bool] = True


class NoData(Payload):
    """Nothing but the subject."""


class StageGiven(Stage):
    probability: Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    days: Annotated[int, Field(ge=0, le=DAYS_MAX)] | None = None
    name: Name


class DefinePipeline(Payload):
    stages: Annotated[tuple[StageGiven, ...], Field(min_length=1)]
    loss_reasons: tuple[Text, ...] | None = None
    protection_days: Annotated[int, Field(gt=0, le=DAYS_MAX)] | None = None


class HireRep(Payload):
    name: Text
    manager: Name | None = None
    branch: Name | None = None


class LeaveRep(Payload):
    successor: Name | None = None


class Keys(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    phone: str | None = None
    email: str | None = None
    tax_id: str | None = None
    external: Name | None = None

    @model_validator(mode="after")
    def _any(self) -> "Keys":
        if not self.given():
            raise ValueError("a lead needs at least one of phone, email, tax_id, external")
        return self

    def given(self) -> dict[str, str]:
        return {kind: value for kind, value in self if value is not None}


class RegisterLead(Payload):
    keys: Keys
    name: Text | None = None
    channel: Name | None = None
    campaign: Name | None = None
    branch: Name | None = None
    owner: Name | None = None

    @property
    def names_owner(self) -> bool:
        """Whether the sender said whose lead it is: null says the pool, silence leaves it to the actor."""
        return "owner" in self.model_fields_set


class Because(Payload):
    reason: Text


class Erase(Payload):
    """`reason` is kept for ever, so it must not say who the person is."""

    reason: Text | None = None


class AssignLead(Payload):
    rep: Name
    reason: Text


class DepartLead(Payload):
    """The engine's own: the lead's owner left."""

    successor: Name | None = None


class MergeLead(Payload):
    into: Name


class UnmergeLead(Payload):
    """`into`, where given, is the lead that it was merged into."""

    into: Name | None = None


class RecordContact(Payload):
    kind: Name
    direction: Name
    outcome: Text
    note: Note | None = None
    deal: Name | None = None


class PlanTask(Payload):
    task: Name
    due_at: Moment
    kind: Name
    assignee: Name | None = None
    deal: Name | None = None


class CompleteTask(Payload):
    task: Name
    result: Text


class CancelTask(Payload):
    task: Name
    reason: Text


class OpenDeal(Payload):
    lead: Name
    pipeline: Name
    stage: Name | None = None
    title: Text | None = None
    product: Name | None = None
    amount: Exact | None = None
    currency: Currency | None = None


class MoveDeal(Payload):
    stage: Name


class AmendDeal(Payload):
    amount: Exact
    currency: Currency | None = None


class ShareGiven(Share):
    rep: Name
    role: Name | None = None
    percent: Exact


class SplitDeal(Payload):
    shares: Annotated[tuple[ShareGiven, ...], Field(min_length=1, max_length=100)]


class WinDeal(Payload):
    amount: Exact | None = None
    currency: Currency | None = None


class LoseDeal(Payload):
    reason: Text
    note: Note | None = None


class RecordPayment(Payload):
    """The subject is the deal, null where nobody knows."""

    needs_subject = False
    payment: Name
    amount: Exact
    currency: Currency
    reference: Name | None = None


class RecordRefund(RecordPayment):
    """`payment` is the payment that is given back, or else the refund's own id."""


class MatchPayment(Payload):
    deal: Name


class RecordCost(Payload):
    amount: Exact
    currency: Currency
    first_day: Annotated[Day, Field(alias="from")]
    last_day: Annotated[Day, Field(alias="to")]


class RecordRate(Payload):
    quote: Annotated[Currency, Field(alias="in")]
    rate: Exact
    day: Annotated[Day, Field(alias="date")]


class PublishPlan(Payload):
    """Any keys: reading the plan says what is wrong with them."""

    model_config = ConfigDict(frozen=True, extra="allow")


class AssignPlan(Payload):
    """To the rep who is the subject; without `to` for good."""

    plan: Name
    first_day: Annotated[Day, Field(alias="from")]
    last_day: Annotated[Day | None, Field(alias="to")] = None


class DisputeLine(Payload):
    """`line` is its number, or the statement's id and the number: `2026-10/rep-7/3`."""

    line: Annotated[Name, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
    reason: Text


class ResolveDispute(Payload):
    """Without a `line`, of the statement's open disputes the one that waits longest."""

    accepted: StrictBool
    note: Text
    line: (
        Annotated[Name, BeforeValidator(lambda value: str(value) if type(value) is int else value)] | None
    ) = None
    amount: Exact | None = None


PAYLOADS: dict[str, type[Payload]] = {
    "pipeline.define": DefinePipeline,
    "rep.hire": HireRep,
    "rep.leave": LeaveRep,
    "rep.erase": Erase,
    "lead.register": RegisterLead,
    "lead.claim": NoData,
    "lead.release": Because,
    "lead.disqualify": Because,
    "lead.assign": AssignLead,
    "lead.merge": MergeLead,
    "lead.unmerge": UnmergeLead,
    "lead.erase": Erase,
    "contact.record": RecordContact,
    "task.plan": PlanTask,
    "task.complete": CompleteTask,
    "task.cancel": CancelTask,
    "deal.open": OpenDeal,
    "deal.move": MoveDeal,
    "deal.amend": AmendDeal,
    "deal.split": SplitDeal,
    "deal.win": WinDeal,
    "deal.lose": LoseDeal,
    "deal.reopen": Because,
    "payment.record": RecordPayment,
    "refund.record": RecordRefund,
    "payment.match": MatchPayment,
    "cost.record": RecordCost,
    "rate.record": RecordRate,
    "plan.publish": PublishPlan,
    "plan.assign": AssignPlan,
    "period.close": NoData,
    "statement.dispute": DisputeLine,
    "statement.resolve": ResolveDispute,
}
