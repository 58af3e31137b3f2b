"""`dealtrail import` of the log's own export: into an empty log, to the same positions."""

import io
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from adapters.cli.asking import opened, progress
from adapters.cli.wording import counted
from adapters.export.files import CHECKPOINTS
from adapters.export.restore import BEGINNING, BEGINNING_BYTES_MAX, Restored, restore
from adapters.importers.run import Summary
from adapters.settings import Settings

NO_VAULT = "Without --vault nobody is known by name or phone any more: that takes the vault's file."


def holds_export(files: Sequence[str]) -> bool:
    """Whether it is the log's own lines that are to be read. Raises click.UsageError if among other files."""
    found = any(_begins_as_export(file) for file in files)
    if found and len(files) > 1:
        raise click.UsageError("An export of the log is imported alone.")
    return found


def restore_from(file: str, vault: BinaryIO | None, settings: Settings, *, as_json: bool) -> None:
    """Read the export back, bring the reports up to date, and print what `import` prints.

    Raises Stopped, and as `restore` does.
    """
    started = time.monotonic()
    with opened(settings) as parts:
        with _stream(file) as stream, _beside(file) as sealed, progress("importing") as told:
            size = None if stream is sys.stdin.buffer else os.fstat(stream.fileno()).st_size
            restored = restore(parts.database, stream, size, told, checkpoints=sealed, vault=vault)
        if restored.sealed and vault is None:
            click.echo(NO_VAULT, err=True)
        with progress("bringing the reports up to date") as told:
            parts.projector.catch_up(progress=told)
    _tell(restored, time.monotonic() - started, as_json=as_json)


def _begins_as_export(file: str) -> bool:
    if file == "-":
        stdin = sys.stdin.buffer
        return isinstance(stdin, io.BufferedReader) and _is_export(stdin.peek(BEGINNING_BYTES_MAX))
    try:
        with Path(file).open("rb") as stream:
            return _is_export(stream.read(BEGINNING_BYTES_MAX))
    except OSError:
        return False  # The import says what is wrong with it.


def _is_export(beginning: bytes) -> bool:
    return BEGINNING.match(beginning) is not None


@contextmanager
def _stream(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
    else:
        with Path(file).open("rb") as stream:
            yield stream


@contextmanager
def _beside(file: str) -> Iterator[Iterable[bytes]]:
    """The checkpoints that were written with the log's lines, if they are there."""
    beside = Path(file).with_name(CHECKPOINTS)
    if file == "-" or not beside.exists():
        yield ()
    else:
        with beside.open("rb") as stream:
            yield stream


def _tell(restored: Restored, seconds: float, *, as_json: bool) -> None:
    if as_json:
        summary = Summary(accepted=restored.actions, events=restored.events, seconds=seconds)
        click.echo(json.dumps(summary.report()))
        return
    click.echo(
        f"{counted(restored.events, 'event')} of {counted(restored.actions, 'action')} are back at their"
        f" positions, in {seconds:.1f} s."
    )
