"""The `demo` command: a believable company, into the database or into a file."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from adapters.demo.generator import Demo, generate
from adapters.demo.recording import Outcome, Progress, record
from adapters.importers.submission import Submitter
from projections.asking import Listing, View

if TYPE_CHECKING:
    from adapters.reading.ledger import Ledger

DONE, REFUSED, USAGE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What was asked for. `out` is a file or `-`; the demo ends as `today` begins in the company's zone."""

    today: date
    timezone: ZoneInfo
    seed: int = 7
    leads: int = 1_000
    out: str | None = None

    @property
    def end(self) -> datetime:
        return datetime.combine(self.today, time(), self.timezone)


@dataclass(frozen=True, slots=True)
class DemoEngine:
    """What the demo needs of a database: who sent the log's first event (None if it is empty), a way in,
    and the reports."""

    first_source: Callable[[], str | None]
    submitter: Submitter
    reporter: Callable[[], None]


def run_demo(request: DemoRequest, engine: Callable[[], AbstractContextManager[DemoEngine]]) -> int:
    """Build the company and print its reports; give the exit code: 0, 1 (refused), 2 (usage).

    With `out` the actions are written there as NDJSON and `engine` is never entered. A database that holds
    this demo already, built on whatever day, keeps it: what is missing is added and the reports are printed.
    """
    demo = Demo(request.seed, request.leads, request.end)
    if request.out is not None:
        return _write(demo, request)
    with engine() as database:
        source = database.first_source()
        found = Demo.of(source) if source is not None else demo
        if found is None or (found.seed, found.leads) != (demo.seed, demo.leads):
            click.echo(_occupied(source or "", found), err=True)
            return REFUSED
        actions = generate(found.seed, found.leads, found.end, zone=request.timezone)
        with _progress() as progress:
            outcome = record(actions, database.submitter, progress)
        click.echo(_told(outcome), err=True)
        database.reporter()
    return DONE


def show_payroll(book: "Ledger", view: View, most: int = 5) -> None:
    """The highest statements of the month closed last, ghosts and exceptions: `most` of each."""
    from adapters.cli.lists import draw_list
    from adapters.cli.payroll.lists import exception_columns, ghost_columns
    from adapters.cli.payroll.statements import draw_statements
    from adapters.cli.render import say
    from projections.payroll.exceptions import exceptions
    from projections.payroll.payments import ghosts

    closes = book.closes()
    if not closes:
        return
    found = book.payday(closes[-1][0])
    highest = sorted(found.statements, key=lambda one: (-one.total, one.rep))[:most]
    draw_statements(replace(found, statements=highest), view)
    of = f"{len(highest)} of {len(found.statements)}"
    say(f"The highest {of}; all: dealtrail payroll statements --period {found.period}")
    ghost, waiting = ghosts(view), exceptions(book.records())
    draw_list(Listing(ghost.count, ghost.items[:most]), view, "Ghosts", ghost_columns, "There are none.")
    shown = Listing(waiting.count, waiting.items[:most])
    draw_list(shown, view, "Exceptions", exception_columns, "There are none.")


def _write(demo: Demo, request: DemoRequest) -> int:
    try:
        with click.open_file(request.out or "-", "w", encoding="utf-8") as file:
            for action in generate(demo.seed, demo.leads, demo.end, zone=request.timezone):
                file.write(json.dumps(action, ensure_ascii=False, separators=(",", ":")) + "\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        click.echo(f"{request.out} can't be written: {error.strerror}", err=True)
        return USAGE
    if request.out != "-":
        click.echo(f"Import it with: dealtrail import --migration {request.out}", err=True)
    return DONE


def _occupied(source: str, found: Demo | None) -> str:
    holds = f"the demo of seed {found.seed} with {found.leads:,} leads" if found else f"events of {source!r}"
    return (
        f"The database isn't empty: it holds {holds}. The demo needs one of its own: set DEALTRAIL_HOME to "
        "another folder, or DATABASE_URL to an empty database."
    )


def _told(outcome: Outcome) -> str:
    text = f"{outcome.accepted:,} actions recorded as {outcome.events:,} events in {outcome.seconds:.1f} s"
    if outcome.duplicates:
        # What was refused then is judged by today's state now, so its reasons would mislead.
        return f"{text}; {outcome.duplicates:,} had been recorded before."
    if outcome.refused:
        text += f"; {outcome.refused.total():,} refused, as happens in every company"
    lines = [
        f"{count:7,} {code}, such as: {outcome.examples[code]}"
        for code, count in outcome.refused.most_common()
    ]
    return "\n".join([f"{text}.", *lines])


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A count on stderr if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,} actions recorded"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("recording", total=None)
        yield lambda done: bar.update(task, completed=done)
