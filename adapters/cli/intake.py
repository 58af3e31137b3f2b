"""The commands that fill the log: import and demo."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import BinaryIO

import click

from adapters.cli.asking import Request, opened, progress, refusing
from adapters.cli.audit.sealing import seal_closes
from adapters.reading.source import Source
from adapters.settings import Settings, read_settings


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--mapping", metavar="M.toml", help="How the columns of a CSV export become actions.")
@click.option("--migration", is_flag=True, help="Keep the actions' original recording times.")
@click.option("--rejects", metavar="FILE", help="Where what is refused goes.")
@click.option("--vault", type=click.File("rb"), metavar="FILE", help="The keys of an export of the log.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def import_(
    files: Sequence[str],
    mapping: str | None,
    migration: bool,
    rejects: str | None,
    vault: BinaryIO | None,
    as_json: bool,
) -> None:
    """Take in actions: NDJSON files, or a CSV export with a mapping file; - is stdin.

    What is refused goes to the rejects file with its line and reason; the rest goes on. The NDJSON of
    `audit export` is read back into an empty log, to the same positions and checkpoints.
    """
    from adapters.cli.import_ import ImportRequest, line_max_of, run_import
    from adapters.cli.restoring import holds_export, restore_from
    from adapters.importers.submission import Submitter

    with refusing(as_json=as_json):
        settings = read_settings()
        if mapping is None and holds_export(files):
            restore_from(files[0], vault, settings, as_json=as_json)
            return
        if vault is not None:
            raise click.UsageError("--vault goes with an export of the log.")

        @contextmanager
        def submitter() -> Iterator[Submitter]:
            with opened(settings) as parts:
                before = parts.checkpoints.cutoffs()
                yield parts.intake()
                seal_closes(parts, before)
                with progress("bringing the reports up to date") as counted:
                    parts.projector.catch_up(progress=counted)

        request = ImportRequest(
            files=files,
            mapping=mapping,
            migration=migration,
            rejects=rejects,
            as_json=as_json,
            timezone=settings.timezone,
            line_max=line_max_of(),
        )
        sys.exit(run_import(request, submitter))


@click.command("demo")
@click.option("--seed", default=7, show_default=True, help="Another number, another company.")
@click.option("--leads", default=1_000, show_default=True, type=click.IntRange(min=1))
@click.option("--out", metavar="FILE", help="Write the actions there (- is stdout), and record nothing.")
@click.option(
    "--today",
    metavar="DATE",
    help="The day on which the demo ends, and as of which it reports. Default: now.",
)
def demo(seed: int, leads: int, out: str | None, today: str | None) -> None:
    """Build a small company in the database, and print its reports."""
    from adapters.cli.demo import DemoEngine, DemoRequest, run_demo, show_payroll
    from adapters.postgres.projecting.as_of import AsOf
    from adapters.reading.ledger import Ledger

    with refusing(as_json=False):
        settings = read_settings()
        request = DemoRequest(_day(today, settings), settings.timezone, seed, leads, out)
        then = None if today is None else AsOf(moment=request.end)

        @contextmanager
        def company() -> Iterator[DemoEngine]:
            with opened(settings) as parts:
                before = parts.checkpoints.cutoffs()

                def first_source() -> str | None:
                    for page in parts.store.read(0, 1):
                        return page[0].source
                    return None

                def reports() -> None:
                    seal_closes(parts, before)
                    parts.projector.catch_up()
                    with parts.view(then) as view:
                        show_company(
                            Request(settings, False, None, "recorded", ()),
                            Source(view, parts.store.load, parts.store.at),
                        )
                        show_payroll(Ledger(parts, view, present=then is None), view)

                yield DemoEngine(first_source, parts.intake(), reports)

        sys.exit(run_demo(request, company))


def _day(text: str | None, settings: Settings) -> date:
    if text is None:
        return datetime.now(UTC).astimezone(settings.timezone).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a date such as 2026-10-31") from None


def show_company(request: Request, source: Source) -> None:
    """The demo's reports, one after the other: of its busiest pipeline and of the rep with most won."""
    from adapters.cli import lists
    from adapters.cli.reports import draw_cycle_time, draw_funnel, draw_scorecard
    from projections.asking import Listing
    from projections.contacts import encroachments
    from projections.cycle_time import cycle_time
    from projections.funnel import funnel
    from projections.neglected import neglected, overdue
    from projections.owner import pool, refusals
    from projections.scorecard import scorecard

    view = source.view
    for (pipeline,) in view.ask(
        "SELECT pipeline FROM deal GROUP BY pipeline ORDER BY count(*) DESC, pipeline LIMIT 1"
    ):
        draw_funnel(funnel(view, pipeline=pipeline, by="rep"), view)
        draw_cycle_time(cycle_time(view, pipeline=pipeline, by="channel"), view)
    for (rep,) in view.ask(
        "SELECT closed_owner FROM deal WHERE status = 'won' AND closed_owner IS NOT NULL"
        " GROUP BY closed_owner ORDER BY count(*) DESC, closed_owner LIMIT 1"
    ):
        draw_scorecard(scorecard(view, rep=rep), view)
    shown = 8
    for title, found, columns, empty in (
        ("Neglected", neglected(view), lists.neglected_columns, "Nothing is neglected."),
        ("Overdue", overdue(view), lists.overdue_columns, "Nothing is overdue."),
        ("Encroachments", encroachments(view), lists.encroachment_columns, "There are none."),
        ("Refused attempts", refusals(view), lists.refusal_columns, "There are none."),
        ("Pool", pool(view), lists.pool_columns, "Every open lead has an owner."),
    ):
        first = Listing(found.count, found.items[:shown])
        title = f"{title} (the first {shown})" if found.count > shown else title
        lists.draw_list(first, view, title, columns, empty)
