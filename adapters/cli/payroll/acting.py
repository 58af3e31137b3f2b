"""The commands that record: close, publish, assign, dispute, resolve."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from adapters.cli.asking import opened, refusing
from adapters.cli.audit.sealing import seal_closes
from adapters.cli.record import say_recorded, submit
from adapters.cli.wording import counted
from adapters.settings import read_settings

if TYPE_CHECKING:
    from adapters.wiring import Engine

CLERK = "payroll:cli"

ACTOR = click.option("--actor", default=CLERK, show_default=True, metavar="A", help="Who does it.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command("close")
@click.argument("period")
@ACTOR
@JSON
def close(period: str, actor: str, as_json: bool) -> None:
    """Freeze what everybody is paid for a month, such as 2026-10. It is never opened again."""
    with refusing(as_json=as_json), opened(read_settings()) as parts:
        before = parts.checkpoints.cutoffs()
        told = submit(parts, "period.close", period, {}, actor=actor)
        seal_closes(parts, before)
        _say_closed(parts, period, told.positions, as_json=as_json)


def _say_closed(parts: "Engine", period: str, positions: tuple[int, ...], *, as_json: bool) -> None:
    from adapters.cli.render import Column, count, draw, money, purse, say
    from domain.payroll.events import PeriodClosed
    from domain.payroll.model import PERIOD
    from domain.shared.periods import Period
    from projections.payroll.documents import sealed_as
    from projections.payroll.previews import payday

    facts = parts.store.at(positions)
    frozen = next(fact for fact in facts if fact.stream == PERIOD.stream(period))
    closed = cast(PeriodClosed, frozen.event)
    note = parts.checkpoints.note_of(closed.cutoff_position)
    found = payday(Period.parse(period), closed, facts, note)
    if as_json:
        told = {**found.as_object(), "statements": len(found.statements)}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    say(f"{period} is closed, by what was recorded up to position {found.cutoff_position:,}.")
    draw(
        [
            Column("rep", lambda one: one.rep),
            Column("lines", lambda one: count(len(one.lines)), number=True),
            Column("total", lambda one: money(one.total, one.currency), number=True),
        ],
        found.statements,
        "Nobody was employed.",
    )
    say(f"{counted(len(found.statements), 'statement')}, in all {purse(found.totals)}.")
    if note is not None:
        say(f"Checkpoint: {sealed_as(note)}")


@click.command("publish")
@click.argument("plan")
@click.argument("file", metavar="FILE.toml", type=click.Path(path_type=Path))
@ACTOR
@JSON
def publish(plan: str, file: Path, actor: str, as_json: bool) -> None:
    """Publish a plan, or a new version of it, from a TOML file. Whom it binds is said by assign."""
    with refusing(as_json=as_json):
        document = read_document(file)
        _act("plan.publish", plan, document, actor=actor, as_json=as_json)


def read_document(file: Path) -> Mapping[str, Any]:
    """The plan in the file as an object. Raises Rejected, or Stopped for a file that can't be read."""
    from services.plan_documents import read_plan_toml

    return read_plan_toml(read_file(file)).model_dump(mode="json", exclude_none=True)


def read_file(file: Path) -> bytes:
    """Raises click.BadParameter if it can't be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{file} can't be read: {error.strerror}") from None


@click.command("assign")
@click.argument("rep")
@click.argument("plan")
@click.option("--from", "first", required=True, metavar="DATE", help="The first day.")
@click.option("--to", "last", metavar="DATE", help="The last day. Default: for good.")
@ACTOR
@JSON
def assign(rep: str, plan: str, first: str, last: str | None, actor: str, as_json: bool) -> None:
    """Let a rep earn by the latest version of a plan, from a day on."""
    data = {"plan": plan, "from": first} | ({} if last is None else {"to": last})
    with refusing(as_json=as_json):
        _act("plan.assign", rep, data, actor=actor, as_json=as_json)


@click.command("dispute")
@click.argument("line")
@click.option("--reason", required=True, metavar="TEXT", help="What is wrong with it.")
@click.option("--actor", required=True, metavar="A", help="Who says so: the rep, or a head above them.")
@JSON
def dispute(line: str, reason: str, actor: str, as_json: bool) -> None:
    """Say that a line, such as 2026-10/rep-7/3, is wrong."""
    with refusing(as_json=as_json):
        data = {"line": line, "reason": reason}
        _act("statement.dispute", statement_of(line), data, actor=actor, as_json=as_json)


@click.command("resolve")
@click.argument("line")
@click.option("--accepted/--declined", default=None, help="Whether the rep is right. Needed.")
@click.option("--note", required=True, metavar="TEXT", help="Why.")
@click.option(
    "--amount",
    metavar="N",
    help="Accepted: so much more (or less) is paid by the next statement. Without, record the correction.",
)
@ACTOR
@JSON
def resolve(
    line: str, accepted: bool | None, note: str, amount: str | None, actor: str, as_json: bool
) -> None:
    """Answer the dispute of a line, such as 2026-10/rep-7/3."""
    if accepted is None:
        raise click.UsageError("Say --accepted or --declined.")
    data: dict[str, Any] = {"line": line, "accepted": accepted, "note": note}
    data |= {} if amount is None else {"amount": amount}
    with refusing(as_json=as_json):
        _act("statement.resolve", statement_of(line), data, actor=actor, as_json=as_json)


def statement_of(line: str) -> str:
    """`2026-10/rep-7` of `2026-10/rep-7/3`. Raises click.BadParameter."""
    statement, _, number = line.rpartition("/")
    if "/" not in statement or not (number.isascii() and number.isdigit()):
        raise click.BadParameter(f"{line!r} is not a line such as 2026-10/rep-7/3")
    return statement


def _act(kind: str, subject: str, data: Mapping[str, Any], *, actor: str, as_json: bool) -> None:
    with opened(read_settings()) as parts:
        say_recorded(submit(parts, kind, subject, data, actor=actor), as_json=as_json)
