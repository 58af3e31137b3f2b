"""Where statement files go: names that any file system takes, each file whole or not there at all."""

import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from adapters.statements.frozen import Frozen
from adapters.statements.html import html_writer
from adapters.statements.pdf import pdf_writer
from adapters.statements.tables import lines_csv, totals_csv
from adapters.statements.wording import page
from domain.payroll.events import StatementIssued
from projections.kernel import Progress
from projections.payroll.documents import canonical, statement_object

FORMATS = ("json", "csv", "html", "pdf")
_PLAIN = re.compile("[a-z0-9][a-z0-9_-]{0,63}").fullmatch
_RESERVED = re.compile("con|prn|aux|nul|com[0-9]|lpt[0-9]").fullmatch
_SLUG_MAX = 40

Made = tuple[str, Callable[[StatementIssued], bytes]]


def export(
    frozen: Frozen, folder: Path, formats: Collection[str], progress: Progress | None = None
) -> list[Path]:
    """Write the period's files into `folder/PERIOD`, and say which. Written again they are the same bytes.

    Raises OSError if they can't be written there.
    """
    target = folder / str(frozen.period)
    target.mkdir(parents=True, exist_ok=True)
    names = [file_name(issued.rep) for issued in frozen.statements]
    written = []
    if "csv" in formats:
        written.append(_write(target / "statements.csv", totals_csv(frozen, names)))
        written.append(_write(target / "lines.csv", lines_csv(frozen)))
    with ExitStack() as stack:
        makers = list(_makers(frozen, formats, stack))
        for done, (issued, name) in enumerate(zip(frozen.statements, names, strict=True), start=1):
            written += [_write(target / f"{name}.{ending}", make(issued)) for ending, make in makers]
            if progress is not None:
                progress(done, len(names))
    return written


def file_name(rep: str) -> str:
    """The rep's id if it is plain (small letters, digits, `_`, `-`), else what is plain of it and a digest.

    Two ids never share a name, whatever their letter case.
    """
    if _PLAIN(rep) and not _RESERVED(rep):
        return rep
    slug = re.sub("[^a-z0-9_-]+", "-", rep.lower()).strip("-")[:_SLUG_MAX]
    return f"{slug or 'rep'}~{sha256(rep.encode()).hexdigest()[:16]}"


def _makers(frozen: Frozen, formats: Collection[str], stack: ExitStack) -> Iterator[Made]:
    """What makes the files of one statement."""
    if "json" in formats:
        yield "json", lambda issued: canonical(statement_object(issued, frozen.checkpoint))
    if "html" in formats:
        html = html_writer()
        yield "html", lambda issued: html(page(issued, frozen))
    if "pdf" in formats:
        pdf = stack.enter_context(pdf_writer())
        yield "pdf", lambda issued: pdf(page(issued, frozen))


def _write(path: Path, content: bytes) -> Path:
    """Beside it first, then in its place: whoever looks sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
