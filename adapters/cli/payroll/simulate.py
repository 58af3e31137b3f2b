"""The command `payroll simulate`: a draft plan over a past range."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import Request, report, tell
from projections.asking import View

if TYPE_CHECKING:
    from projections.payroll.simulating import Simulation


@click.option(
    "--plan",
    "file",
    required=True,
    metavar="FILE.toml",
    type=click.Path(path_type=Path),
    help="The draft, as it would be published.",
)
@click.option("--from", "start", required=True, metavar="D", help="The first day, or month.")
@click.option("--to", "end", required=True, metavar="D", help="The last day, or month; inclusive.")
@click.option("--rep", metavar="R", help="Only this rep gets it. Default: everybody.")
def _simulate(request: Request, file: Path, start: str, end: str, rep: str | None) -> None:
    """What a draft plan would have paid for past months, beside what was paid. Nothing is recorded."""
    from adapters.cli.payroll.acting import read_file
    from adapters.cli.payroll.ledger import ledger
    from domain.shared.periods import Period
    from projections.payroll.previews import must_have_begun
    from projections.payroll.simulating import simulate as ask
    from services.plan_documents import read_plan_toml

    plan = read_plan_toml(read_file(file))
    first, last = _day(start, "--from")[0], _day(end, "--to")[1]
    if first > last:
        raise click.BadParameter(f"{start} is after {end}")
    with ledger(request) as book:
        records = book.records()
        must_have_begun(records, Period.of(last), book.view.moment)
        found = ask(records, plan, first, last, rep=rep)
        tell(request, book.source, found.as_object(), lambda _, view: draw_simulation(found, view))


def _day(text: str, option: str) -> tuple[date, date]:
    """The day given twice, or the first and the last day of the month given."""
    from domain.shared.periods import Period
    from domain.shared.rejections import InvalidData

    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return day, day
    try:
        month = Period.parse(text)
    except InvalidData:
        wanted = "neither a date such as 2026-10-31 nor a month such as 2026-10"
        raise click.BadParameter(f"{text!r} is {wanted}", param_hint=option) from None
    return month.first_day, month.last_day


def draw_simulation(found: "Simulation", view: View) -> None:
    from adapters.cli.render import Column, draw, head, money, say

    head(f"The draft {found.plan} from {found.first_day} to {found.last_day}", view)
    draw(
        [
            Column("rep", lambda one: one.rep),
            Column("", lambda one: one.currency, whole=True),
            Column("paid so far", lambda one: money(one.paid, None), number=True),
            Column("earned", lambda one: money(one.earned, None), number=True),
            Column("by the draft", lambda one: money(one.simulated, None), number=True),
            Column("difference", lambda one: money(one.difference, None), number=True),
        ],
        found.items,
        "Nobody earns anything by it.",
    )
    say('"earned": by the present plans, as things stand. Nothing was recorded.')


simulate = report("simulate")(_simulate)
