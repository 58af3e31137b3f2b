"""The tables of docs/reference.md, made from the code. Run as a program it writes them down."""

import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

import click
from pydantic import BaseModel

import adapters
import domain
import projections
import services
from adapters.cli.lazy import Lazy
from adapters.cli.main import cli
from domain.kernel import Event, Rejected
from domain.payroll.events import Line, StatementIssued
from projections.contacts import Encroachment
from projections.cycle_time import CycleTime
from projections.funnel import FunnelBy
from projections.neglected import Neglect, Overdue
from projections.owner import Owner, PoolLead, Refused
from projections.payroll.exceptions import PayrollException
from projections.payroll.explaining import Explanation
from projections.payroll.payments import Ghost
from projections.payroll.plans import Assignment, PlanVersion
from projections.payroll.previews import Pay, Payday
from projections.payroll.simulating import Simulated, Simulation
from projections.payroll.statements import ClosedPeriod, Dispute
from projections.payroll.verifying import Verified
from projections.queue import Work
from projections.scorecard import Scorecard
from projections.timeline import DealStory, LeadStory
from services.handlers import handlers
from services.payloads import PAYLOADS

REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"
LISTS = {
    "neglected": Neglect,
    "overdue": Overdue,
    "queue": Work,
    "encroachments": Encroachment,
    "refusals": Refused,
    "pool": PoolLead,
    "payroll ghosts": Ghost,
    "payroll exceptions": PayrollException,
    "payroll disputes": Dispute,
    "payroll plans": PlanVersion,
    "payroll assignments": Assignment,
    "payroll periods": ClosedPeriod,
}
REPORTS: Mapping[str, type] = {
    "funnel": FunnelBy,
    "cycle-time": CycleTime,
    "owner": Owner,
    "scorecard": Scorecard,
    "deal": DealStory,
    "lead": LeadStory,
    "payroll explain": Explanation,
    "payroll verify": Verified,
}
_LINE = Line(
    line=1,
    kind="win",
    of="win",
    deal=None,
    earning="",
    credited="",
    role=None,
    for_period="2026-01",
    basis=Decimal(0),
    rate=None,
    share=None,
    amount=Decimal(0),
    rule="",
    plan=None,
    plan_version=None,
    events=(),
)
_ISSUED = StatementIssued(
    period="2026-01", rep="", currency="USD", cutoff_position=1, total=Decimal(0), lines=(_LINE,)
)
_TRIED = Simulated("", "USD", Decimal(0), Decimal(0), None, None)
OBJECTS: Mapping[str, Mapping[str, Any]] = {
    "payroll statement": Pay(_ISSUED, closed=True).as_object(),
    "payroll statements": Payday("2026-01", 1, True, {}, [_ISSUED]).as_object(),
    "payroll simulate": Simulation("", date.min, date.min, "USD", [_TRIED]).as_object(),
}
"""Reports whose keys are not the fields of a class: one of each."""
_SECTION = "<!-- {0} -->\n{1}<!-- end of {0} -->"


def written(text: str) -> str:
    """The document with every table as the code has it. Raises ValueError for a table without its place."""
    for name, table in _TABLES.items():
        place = re.compile(_SECTION.format(name, ".*?"), re.DOTALL)
        if len(place.findall(text)) != 1:
            raise ValueError(f"{REFERENCE.name} has no single place for {name}")
        fresh = _SECTION.format(name, re.sub(r"\n{3,}", "\n\n", "\n".join(table())).strip() + "\n")
        text = place.sub(fresh.replace("\\", r"\\"), text)
    return text


def rejections() -> list[type[Rejected]]:
    """Every refusal that the code knows, by code."""
    for package in (domain, projections, services, adapters):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    found, left = set[type[Rejected]](), [Rejected]
    while left:
        below = left.pop().__subclasses__()
        left += below
        found.update(kind for kind in below if kind.__module__.split(".")[0] != "tests")
    return sorted(
        (kind for kind in found if hasattr(kind, "code")), key=lambda kind: (kind.code, kind.__doc__)
    )


def _ours(kind: type) -> bool:
    return kind.__module__.split(".")[0] in ("domain", "projections", "services", "adapters")


def _actions() -> Iterator[str]:
    yield from ("| type | data | what it says |", "|---|---|---|")
    known = handlers(*[cast(Any, None)] * 3)
    for name, payload in PAYLOADS.items():
        yield f"| `{name}` | {_code(_data(payload))} | {_sentence(known[name].decide)} |"


def _events() -> Iterator[str]:
    yield from ("| stored name | version | data | what happened |", "|---|---|---|---|")
    for name, kind in sorted(Event.catalogue.items()):
        if _ours(kind):
            yield f"| `{name}` | {kind.stored_version} | {_code(_data(kind))} | {_sentence(kind)} |"


def _errors() -> Iterator[str]:
    yield from ("| code | sentence |", "|---|---|")
    for kind in rejections():
        yield f"| `{kind.code}` | {' '.join((kind.__doc__ or '').split())} |".replace("!r}", "}")


def _commands() -> Iterator[str]:
    for name, line, command in _leaves(cli, ""):
        yield from (f"### `{' '.join(['dealtrail', name, *_arguments(command)])}`", line, "")
        common = {"as_json", "as_of", "axis"} if name in {*REPORTS, *LISTS, *OBJECTS} else set()
        for option in command.params:
            if isinstance(option, click.Option) and option.name not in common:
                yield f"- `{_spelling(option)}`{_said(option)}"
        if name in REPORTS:
            yield f"\nJSON: `{{{_keys(REPORTS[name])}}}`"
        elif name in LISTS:
            yield f"\nJSON: `{{count, items: [{{{_keys(LISTS[name])}}}]}}`"
        elif name in OBJECTS:
            yield f"\nJSON: `{{{_keys_of(OBJECTS[name])}}}`"
        yield ""


def _leaves(group: click.Group, before: str) -> Iterator[tuple[str, str, click.Command]]:
    """Every command with its whole name and what it does in a line, those of groups within groups too."""
    with click.Context(group) as context:
        names = group.list_commands(context)
        found = {name: cast(click.Command, group.get_command(context, name)) for name in names}
    for name, command in found.items():
        line = group.table[name][1] if isinstance(group, Lazy) else command.get_short_help_str(200)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{before}{name}", line, command
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{before}{name} ")


def _arguments(command: click.Command) -> list[str]:
    return [
        part.make_metavar(click.Context(command))
        for part in command.params
        if isinstance(part, click.Argument)
    ]


def _spelling(option: click.Option) -> str:
    kind = option.type
    value = "|".join(kind.choices) if isinstance(kind, click.Choice) else option.metavar or kind.name.upper()
    return (
        "/".join([option.opts[0], *option.secondary_opts]) if option.is_flag else f"{option.opts[0]} {value}"
    )


def _said(option: click.Option) -> str:
    default = f" Default: {option.default}." if option.show_default and option.default is not None else ""
    needed = " Needed." if option.required else ""
    told = f"{option.help or ''}{default}{needed}".strip()
    return f": {told}" if told else ""


def _data(model: type[BaseModel]) -> str:
    """Fields of an action or event in the contract's notation: `?` may be left out, `[…]` is a list."""
    parts = []
    for name, field in model.model_fields.items():
        nested = ""
        if inner := _models_in(field.annotation):
            nested = f": {{{_data(inner[0])}}}"
            if get_args(field.annotation):
                nested = f": [{{{_data(inner[0])}}}]"
        parts.append(f"{field.alias or name}{'' if field.is_required() else '?'}{nested}")
    return ", ".join(parts)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _keys(kind: type) -> str:
    """Keys of a report's JSON, nested."""
    hints = get_type_hints(kind)
    return ", ".join(f"{field.name}{_nested(hints[field.name])}" for field in fields(kind))


def _keys_of(told: Mapping[str, Any]) -> str:
    """Keys of an object, nested."""
    return ", ".join(f"{key}{_nested_of(value)}" for key, value in told.items())


def _nested_of(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return ""
    (one,) = value
    return f": [{{{_keys_of(one) if isinstance(one, Mapping) else _keys(type(one))}}}]"


def _nested(hint: Any) -> str:
    if isinstance(hint, type) and is_dataclass(hint):
        return f": {{{_keys(hint)}}}"
    for part in get_args(hint):
        if isinstance(part, type) and is_dataclass(part):
            many = getattr(hint, "__origin__", None)
            inner = f"{{{_keys(part)}}}"
            return (
                f": {{NAME: {inner}}}" if many is not None and issubclass(many, Mapping) else f": [{inner}]"
            )
    return ""


def _code(text: str) -> str:
    return f"`{text}`" if text else "-"


def _sentence(of: Any) -> str:
    return " ".join((of.__doc__ or "").split()).replace("|", "\\|")


_TABLES: Mapping[str, Callable[[], Iterator[str]]] = {
    "actions": _actions,
    "errors": _errors,
    "commands": _commands,
    "events": _events,
}


def main() -> int:
    """Write the tables anew."""
    REFERENCE.write_text(written(REFERENCE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
