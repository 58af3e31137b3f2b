"""The `import` command: files in, one summary out."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO
from zoneinfo import ZoneInfo

import click

from adapters.cli.wording import counted
from adapters.importers.items import Source
from adapters.importers.mapping import load_mapping
from adapters.importers.ndjson import LINE_MAX
from adapters.importers.plan import csv_sources, ndjson_sources
from adapters.importers.refusals import RejectsNotWritable, SourceRefusal, WrongUsage
from adapters.importers.rejects import RejectsFile, default_rejects
from adapters.importers.run import ImportRun, Progress, Summary
from adapters.importers.submission import Submitter
from adapters.settings import BadSetting
from services.answers import error_object

DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What was asked for. `files` are paths or `-`; `timezone` is the company's; `line_max` in bytes."""

    files: Sequence[str]
    mapping: str | None = None
    migration: bool = False
    rejects: str | None = None
    as_json: bool = False
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    line_max: int = LINE_MAX


def line_max_of(environment: Mapping[str, str] = os.environ) -> int:
    """DEALTRAIL_LINE_MAX, the longest line of an import in bytes; 1 MiB by default. Raises BadSetting."""
    given = environment.get("DEALTRAIL_LINE_MAX", "").strip()
    if given and not (given.isascii() and given.isdigit() and int(given)):
        raise BadSetting("DEALTRAIL_LINE_MAX", given, "a number of bytes above 0")
    return int(given) if given else LINE_MAX


def run_import(
    request: ImportRequest,
    submitter: Callable[[], AbstractContextManager[Submitter]],
    *,
    stdin: BinaryIO | None = None,
) -> int:
    """Import, print the summary, give the exit code: 0, 1 (something rejected), 2 (usage), 130 (Ctrl-C).

    `submitter` is entered only when the files and the mapping were found to fit.
    """
    try:
        sources = _sources(request, stdin or sys.stdin.buffer)
        rejects = _rejects(request, sources)
        with submitter() as engine, _progress() as progress:
            run = ImportRun(
                sources,
                engine,
                rejects,
                migration=request.migration,
                by_time=request.migration and request.mapping is not None,
                progress=progress,
            )
            with _ctrl_c(run):
                summary = run.run()
    except SourceRefusal as refusal:
        _complain(refusal, as_json=request.as_json)
        return USAGE if isinstance(refusal, WrongUsage) else REFUSED
    click.echo(json.dumps(summary.report()) if request.as_json else _told(summary))
    if summary.interrupted:
        click.echo("Interrupted. What is counted above is recorded; run the same command again.", err=True)
        return INTERRUPTED
    return REFUSED if summary.rejected else DONE


def _sources(request: ImportRequest, stdin: BinaryIO) -> list[Source]:
    if request.mapping is None:
        return ndjson_sources(request.files, stdin, line_max=request.line_max)
    mapping = load_mapping(Path(request.mapping))
    name = Path(request.mapping).name
    return csv_sources(
        request.files,
        mapping,
        name,
        timezone=request.timezone,
        migration=request.migration,
        line_max=request.line_max,
    )


def _rejects(request: ImportRequest, sources: Sequence[Source]) -> RejectsFile:
    read = list(dict.fromkeys(source.name for source in sources if source.size != 0))
    first = request.files[0]
    if Path(first).is_dir():
        first = next(iter(read), first)
    path = Path(request.rejects) if request.rejects else default_rejects(first)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise RejectsNotWritable(file=str(path), reason="no such directory, or no permission")
    for name in (*(source.name for source in sources), *([request.mapping] if request.mapping else [])):
        if path.exists() and Path(name).exists() and path.samefile(name):
            raise RejectsNotWritable(file=str(path), reason="it is one of the files to read")
    return RejectsFile(path, name_files=len(read) > 1)


@contextmanager
def _ctrl_c(run: ImportRun) -> Iterator[None]:
    """Ctrl-C waits for the batch that is being recorded; while reading it ends the run at once."""

    def stop(signal_number: int, frame: FrameType | None) -> None:
        run.stop()
        if not run.submitting:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar on stderr if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        tasks = {phase: bar.add_task(phase, total=None, visible=False) for phase in ("reading", "importing")}

        def tell(phase: str, done: int, total: int | None) -> None:
            bar.update(tasks[phase], completed=done, total=total, visible=True)

        yield tell


def _complain(refusal: SourceRefusal, *, as_json: bool) -> None:
    text = json.dumps({"error": error_object(refusal)}) if as_json else f"{refusal.code}: {refusal.message}"
    click.echo(text, err=True)


def _told(summary: Summary) -> str:
    text = (
        f"{counted(summary.accepted, 'action')} accepted ({counted(summary.events, 'event')}), "
        f"{summary.duplicates:,} known before, {counted(summary.rejected, 'line')} rejected, "
        f"in {summary.seconds:.1f} s"
    )
    return f"{text}\nRejected lines and reasons: {summary.rejects}" if summary.rejects else text
