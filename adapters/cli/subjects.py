"""`dealtrail subject …`: what is held on a person, and how it is forgotten."""

import json
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import opened, progress, refusing
from adapters.cli.audit.trusting import write_out
from adapters.cli.lazy import Lazy, Table
from adapters.cli.record import submit
from adapters.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.wiring import Engine
    from domain.kernel import Event, Recorded
    from projections.subject import Held

REP = click.option("--rep", "of_rep", is_flag=True, help="SUBJECT is a rep's id, not a lead's.")


COMMANDS: Table = MappingProxyType(
    {
        "export": ("adapters.cli.subjects:export", "Print all that is held on a person."),
        "erase": ("adapters.cli.subjects:erase", "Forget who a person is, for ever."),
    }
)
"""Every subcommand, in the order of the help."""


@click.group("subject", cls=Lazy, table=COMMANDS)
def subject() -> None:
    """People: what is held on one of them, and forgetting who they are."""


@click.command("export")
@click.argument("person", metavar="SUBJECT")
@REP
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there.")
def export(person: str, of_rep: bool, out: Path | None) -> None:
    """Print all that is held on a person, as one JSON object: every event that tells of them."""
    from pydantic import TypeAdapter

    from projections.subject import Held

    with refusing(as_json=True), opened(read_settings()) as parts:
        held = _of_rep(parts, person) if of_rep else _of_lead(parts, person)
        write_out(out, TypeAdapter(Held).dump_json(held, indent=2).decode() + "\n")


def _of_lead(parts: "Engine", lead: str) -> "Held":
    from projections.subject import held_on_lead

    with parts.view() as view:
        return held_on_lead(view, parts.store.load, lead=lead)


def _of_rep(parts: "Engine", rep: str) -> "Held":
    from projections.subject import held_on_rep

    head = parts.store.head()
    with progress("reading the log") as told:

        def facts() -> "Iterator[Recorded[Event]]":
            for page in parts.store.read(0, head):
                yield from page
                if told is not None:
                    told(page[-1].position, head)

        return held_on_rep(facts(), rep=rep)


@click.command("erase")
@click.argument("person", metavar="SUBJECT")
@REP
@click.option("--reason", metavar="TEXT", help="Why, without saying who: it is kept for ever.")
@click.option("--actor", default="admin:cli", show_default=True, metavar="A", help="Who does it: an admin.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def erase(person: str, of_rep: bool, reason: str | None, actor: str, as_json: bool) -> None:
    """Destroy the keys of all that says who a person is: nobody can read it again, also we can't.

    What happened stays, with its proof. An erased customer who comes back is a new one.
    """
    with refusing(as_json=as_json), opened(read_settings()) as parts:
        kind = "rep.erase" if of_rep else "lead.erase"
        told = submit(parts, kind, person, {} if reason is None else {"reason": reason}, actor=actor)
        with progress("bringing the reports up to date") as counted:
            parts.projector.catch_up(progress=counted)
    if as_json:
        click.echo(json.dumps({"subject": person, **told.as_json()}, ensure_ascii=False))
    else:
        click.echo(f"{person} is erased: names, phones, addresses and notes can't be read any more.")
