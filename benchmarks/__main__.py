"""`make bench`, or `python -m benchmarks [--events N,N] [NAME …]` for some of them at other sizes."""

import sys
from collections.abc import Iterator, Sequence

import click
from rich.console import Console
from rich.table import Table

from benchmarks import payroll
from benchmarks.appending import appending
from benchmarks.auditing import auditing
from benchmarks.figures import Figure
from benchmarks.ground import EVENTS_PER_LEAD, Ground, ground
from benchmarks.http import http
from benchmarks.importing import importing
from benchmarks.kafka import kafka
from benchmarks.projecting import keeping_up, rebuilding
from benchmarks.reporting import reporting
from benchmarks.starting import starting

NAMES = ("start", "append", "log", "payroll", "audit", "kafka", "http")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--events", default="1000000,100000,3000000", help="Sizes of the logs, with commas.")
def main(names: Sequence[str], events: str) -> None:
    """Measure; every figure as soon as it is there. Exit code 1 if a target was missed."""
    missed = False
    console = Console(width=110)
    for title, figures in _chosen(names or NAMES, [int(size) for size in events.split(",")]):
        table = Table(title=title, title_justify="left", show_edge=False)
        for column in ("what", "ours", "unit", "stock", "ratio", "target", ""):
            table.add_column(column, justify="left" if column in ("what", "unit", "") else "right")
        for figure in figures:
            missed |= figure.reached is False
            table.add_row(*_cells(figure))
        console.print(table, "")
    sys.exit(missed)


def _chosen(names: Sequence[str], sizes: Sequence[int]) -> Iterator[tuple[str, list[Figure]]]:
    if "start" in names:
        yield "The command's own start", starting()
    if {"append", "log", "payroll", "audit", "kafka", "http"} & {*names}:
        with ground() as place:
            if "append" in names:
                yield "Appending", appending(place)
            if "log" in names:
                for size in sizes:
                    yield from _log(place, size)
            if "payroll" in names:
                yield "Payroll", _payroll(place, sizes[0])
            if "audit" in names:
                yield "Audit", auditing(place, sizes[0])
            if "kafka" in names:
                yield "Kafka", kafka(place)
            if "http" in names:
                yield "HTTP", http(place)


def _log(place: Ground, events: int) -> Iterator[tuple[str, list[Figure]]]:
    """A log of about so many events, imported, rebuilt, asked and kept up with."""
    with place.new_engine() as engine:
        yield f"Importing (about {events:,} events)", importing(engine, round(events / EVENTS_PER_LEAD), "")
        yield "Rebuilding", rebuilding(place, engine)
        yield "Reports", reporting(engine)
        yield "Keeping up", keeping_up(engine)


def _payroll(place: Ground, events: int) -> list[Figure]:
    """A year of won deals by a thousand reps, about so many events, imported and paid."""
    with place.new_engine() as engine:
        payroll.fill(engine, events // payroll.EVENTS_PER_DEAL)
        return payroll.paying(engine)


def _cells(figure: Figure) -> tuple[str, ...]:
    mark = {True: "reached", False: "[red]MISSED", None: ""}[figure.reached]
    digits = 0 if figure.value >= 100 else 2
    return (
        figure.name,
        f"{figure.value:,.{digits}f}",
        figure.unit,
        "" if figure.peer is None else f"{figure.peer:,.0f}",
        "" if figure.ratio is None else f"{figure.ratio:,.1f} x",
        "" if figure.target is None else f"{'≤' if figure.at_most else '≥'} {figure.target:,g}",
        mark,
    )


if __name__ == "__main__":
    main()
