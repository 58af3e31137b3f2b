"""Importing NDJSON through the command's own path, with full validation."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.demo.generator import generate
from adapters.importers.plan import ndjson_sources
from adapters.importers.rejects import RejectsFile
from adapters.importers.run import ImportRun
from adapters.wiring import Engine
from benchmarks.figures import Figure
from benchmarks.ground import END

ACTIONS_PER_LEAD = 9
"""At least so many in the demo's company."""


def importing(engine: Engine, leads: int, name: str) -> list[Figure]:
    """Actions a second of the demo's company as a file; then of the same file once more."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "actions.ndjson"
        with file.open("w") as out:
            for action in generate(7, leads, END):
                if action["type"] != "period.close":  # What closing takes is measured by itself.
                    out.write(json.dumps(action) + "\n")
        figures = []
        for again, target in ((False, 5_000.0), (True, None)):
            sources = ndjson_sources([str(file)], None)  # type: ignore[arg-type]  # no stdin among them
            rejects = RejectsFile(Path(folder) / "rejects.ndjson", name_files=False)
            summary = ImportRun(sources, engine.intake(), rejects, migration=True).run()
            done = summary.accepted + summary.duplicates + summary.rejected
            what = "the same file again" if again else f"import {done:,} actions ({summary.events:,} events)"
            figures.append(Figure(f"{name}{what}", done / summary.seconds, "actions/s", target=target))
    return figures
