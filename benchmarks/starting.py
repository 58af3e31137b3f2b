"""How long the command itself takes, its Python and its server included."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure

TIMES = 7


def starting() -> list[Figure]:
    """Seconds of `--help`, and of a report on the embedded database when its server is stopped."""
    command = str(Path(sys.executable).with_name("dealtrail"))
    with tempfile.TemporaryDirectory(prefix="dealtrail-bench-") as folder:
        environment = {**os.environ, "DEALTRAIL_HOME": f"{folder}/home"}
        environment.pop("DATABASE_URL", None)

        def seconds(*arguments: str) -> float:
            began = perf_counter()
            subprocess.run([command, *arguments], env=environment, check=True, capture_output=True)
            return perf_counter() - began

        seconds("demo", "--leads", "300")
        helped = sorted(seconds("--help") for _ in range(TIMES))[TIMES // 2]
        reported = sorted(seconds("funnel", "--pipeline", "new-business", "--json") for _ in range(TIMES))
    return [
        Figure("dealtrail --help", helped, "s", target=0.3, at_most=True),
        Figure(
            "dealtrail funnel, server start included", reported[TIMES // 2], "s", target=1.5, at_most=True
        ),
    ]
