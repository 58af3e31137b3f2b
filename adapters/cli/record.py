"""One action by hand: the command `record`, and the way in for all that the command line records."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from adapters.cli.asking import Stopped, opened, refusing
from adapters.cli.audit.sealing import seal_closes
from adapters.settings import read_settings

if TYPE_CHECKING:
    from adapters.wiring import Engine
    from services.answers import Answer

SOURCE = "dealtrail-cli"


@click.command("record")
@click.argument("kind", metavar="TYPE")
@click.argument("subject", metavar="SUBJECT")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]…")
@click.option("--actor", required=True, metavar="A", help="Who did it: a rep, or admin:NAME and the like.")
@click.option("--time", "occurred_at", metavar="T", help="When it happened, with offset. Default: now.")
@click.option("--source", default=SOURCE, show_default=True, metavar="S", help="Where it comes from.")
@click.option(
    "--id", "id_", metavar="I", help="Its id there: sent twice, it counts once. Default: a new one."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def record(
    kind: str,
    subject: str,
    fields: Sequence[str],
    actor: str,
    occurred_at: str | None,
    source: str,
    id_: str | None,
    as_json: bool,
) -> None:
    """Record one action: its type, what it is about (- for nothing), and the fields of its data.

    A value that is a JSON object or list, true, false or null is taken as that, all else as text:
    dealtrail record payment.match P-17 deal=D-4 --actor payroll:kim
    """
    data = _data(fields)
    with refusing(as_json=as_json), opened(read_settings()) as parts:
        before = parts.checkpoints.cutoffs()
        told = submit(
            parts,
            kind,
            None if subject == "-" else subject,
            data,
            actor=actor,
            occurred_at=occurred_at,
            source=source,
            id_=id_,
        )
        seal_closes(parts, before)
        say_recorded(told, as_json=as_json)


def submit(
    parts: "Engine",
    kind: str,
    subject: str | None,
    data: Mapping[str, Any],
    *,
    actor: str,
    occurred_at: str | None = None,
    source: str = SOURCE,
    id_: str | None = None,
) -> "Answer":
    """Record an action, now unless told otherwise. Raises Stopped with the error object if it is refused."""
    from adapters.wiring import now
    from services.intake import Submission

    action = {
        "specversion": "1.0",
        "id": id_ or uuid4().hex,
        "source": source,
        "type": kind,
        "subject": subject,
        "time": occurred_at or now().isoformat(),
        "actor": actor,
        "data": data,
    }
    (told,) = parts.intake().submit([Submission(action)])
    if told.error is not None:
        refused = Stopped(told.error["code"], told.error["message"])
        refused.error = dict(told.error)
        raise refused
    return told


def say_recorded(told: "Answer", *, as_json: bool) -> None:
    """Print what became of an accepted action."""
    if as_json:
        click.echo(json.dumps(told.as_json(), ensure_ascii=False))
        return
    events = f"event{'' if len(told.positions) == 1 else 's'} {', '.join(map(str, told.positions))}"
    click.echo(f"Recorded before, as {events}." if told.duplicate else f"Recorded as {events}.")


def _data(fields: Sequence[str]) -> dict[str, Any]:
    """Raises click.BadParameter for what isn't FIELD=VALUE, or is given twice."""
    data: dict[str, Any] = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"{field!r} is not FIELD=VALUE")
        if name in data:
            raise click.BadParameter(f"{name} is given twice")
        data[name] = _value(value)
    return data


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if value is None or isinstance(value, bool | dict | list) else text
