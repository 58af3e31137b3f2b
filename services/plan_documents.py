"""Reading a commission plan: from an action's object, or from a TOML document."""

import tomllib
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StrictBool, ValidationError

from domain.kernel import Rejected
from domain.payroll.checking import checked
from domain.payroll.plans import Draw, Plan, Quota, Step, Tiers
from domain.shared.rejections import InvalidData
from services.payloads import Exact
from services.problems import problem


class UnreadablePlan(Rejected):
    """This is not a plan in TOML: {problem}."""

    code = "malformed"


class StepGiven(Step):
    above: Exact
    percent: Exact


class TiersGiven(Tiers):
    """Without a step it is let by here: checking says what is wrong with that."""

    steps: tuple[StepGiven, ...]


class QuotaGiven(Quota):
    default: Exact | None = None
    reps: dict[str, Exact] = Field(default_factory=dict)


class DrawGiven(Draw):
    amount: Exact
    recoverable: StrictBool


class PlanGiven(Plan):
    """A plan as somebody wrote it: percents and amounts are text, or whole numbers."""

    rate: Exact | None = None
    tiers: TiersGiven | None = None
    quota: QuotaGiven | None = None
    products: dict[str, Exact] | None = None
    roles: dict[str, Exact] | None = None
    override: Exact | None = None
    cap: Exact | None = None
    draw: DrawGiven | None = None
    clawback_days: Annotated[int, Field(strict=True)] | None = None


def read_plan(data: Mapping[str, object]) -> Plan:
    """The plan that the object says, checked.

    Raises InvalidData, naming the field, for keys that are missing, unknown or of the wrong type, InvalidPlan
    for what makes no sense.
    """
    try:
        given = PlanGiven.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidData(field=field, problem=problem(first)) from None
    return checked(given)


def read_plan_toml(document: str | bytes) -> Plan:
    """The plan of a TOML document. Raises UnreadablePlan, naming the line, and what `read_plan` raises."""
    try:
        text = document if isinstance(document, str) else document.decode()
        data = tomllib.loads(text)
    except UnicodeDecodeError as broken:
        raise UnreadablePlan(problem=f"byte {broken.start + 1} is not UTF-8") from None
    except tomllib.TOMLDecodeError as broken:
        raise UnreadablePlan(problem=str(broken)) from None
    except RecursionError:
        raise UnreadablePlan(problem="it is nested too deeply") from None
    return read_plan(data)
