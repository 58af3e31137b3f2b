"""What a report costs, asked again and again over the same tables."""

from collections.abc import Callable
from time import perf_counter

from adapters.wiring import Engine
from benchmarks.figures import Figure, quantile
from projections.asking import View
from projections.cycle_time import cycle_time
from projections.funnel import funnel
from projections.neglected import neglected
from projections.owner import owner
from projections.queue import queue
from projections.scorecard import scorecard

TIMES = 20


def reporting(engine: Engine) -> list[Figure]:
    """Milliseconds of each report's query."""
    figures = []
    with engine.view() as view:
        ((rep,),) = view.ask(
            "SELECT owner FROM lead WHERE owner IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        )
        ((lead, pipeline),) = view.ask("SELECT lead, pipeline FROM deal ORDER BY deal LIMIT 1")
        reports: dict[str, Callable[[View], object]] = {
            "funnel": lambda v: funnel(v, pipeline=pipeline),
            "funnel --by rep": lambda v: funnel(v, pipeline=pipeline, by="rep"),
            "cycle-time": lambda v: cycle_time(v, pipeline=pipeline),
            "cycle-time --by month": lambda v: cycle_time(v, pipeline=pipeline, by="month"),
            "owner": lambda v: owner(v, lead=lead),
            "neglected": lambda v: neglected(v),
            "neglected --rep": lambda v: neglected(v, rep=rep),
            "queue": lambda v: queue(v, rep=rep),
            "scorecard": lambda v: scorecard(v, rep=rep),
        }
        for name, report in reports.items():
            took = []
            for _ in range(TIMES):
                began = perf_counter()
                report(view)
                took.append((perf_counter() - began) * 1_000)
            figures.append(Figure(f"{name} at {view.position:,} events, p50", quantile(took, 0.5), "ms"))
            figures.append(Figure("  the same, p99", quantile(took, 0.99), "ms"))
    return figures
