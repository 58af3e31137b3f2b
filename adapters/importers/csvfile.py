"""A CSV file read through a section of a mapping."""

import codecs
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from adapters.importers.items import Item, Proposed, Refused
from adapters.importers.mapping import Section
from adapters.importers.ndjson import LINE_MAX
from adapters.importers.refusals import (
    EmptyFile,
    MissingColumn,
    NoFile,
    SourceRefusal,
    WrongDelimiter,
    WrongEncoding,
)
from adapters.importers.sections import CompiledSection
from adapters.importers.table import Dialect, Table

_DELIMITERS = ",;\t|"


class CsvSource:
    """Actions from the rows of a file. `timezone` is for dates whose section and column name none."""

    def __init__(
        self, path: Path, section: Section, *, source: str, timezone: ZoneInfo, line_max: int = LINE_MAX
    ) -> None:
        self.name = str(path)
        self.size = path.stat().st_size
        self.done = 0
        self._path, self._section = path, section
        self._source, self._timezone, self._line_max = source, timezone, line_max

    def check(self) -> None:
        """Read the header alone. Raises SourceRefusal where it does not fit, NoFile if unreadable."""
        with self._open() as text:
            self._begin(self._table(text))

    def items(self) -> Iterator[Item]:
        """Each row's actions, or its refusal. Raises what `check` raises."""
        with self._open() as text:
            table = self._table(text)
            section = self._begin(table)
            for number, row in enumerate(table.rows()):
                if not number % 256:
                    self.done = cast(BinaryIO, text.buffer).tell()
                if isinstance(row, Refused):
                    yield row
                    continue
                try:
                    actions = section.actions(row.cells)
                except SourceRefusal as refusal:
                    yield Refused(row.place, refusal)
                    continue
                for action, once in actions:
                    yield Proposed(row.place, action, number, once)
            self.done = self.size

    def _open(self) -> TextIOWrapper:
        encoding = self._section.encoding
        if codecs.lookup(encoding).name == "utf-8":
            encoding = "utf-8-sig"
        try:
            return self._path.open("r", encoding=encoding, errors="surrogateescape", newline="")
        except OSError as error:
            raise NoFile(file=self.name, reason=error.strerror) from error

    def _table(self, text: TextIOWrapper) -> Table:
        dialect = Dialect(self._section.delimiter, self._section.quote)
        return Table(text, self.name, dialect, line_max=self._line_max)

    def _begin(self, table: Table) -> CompiledSection:
        header = next(table.rows(), None)
        if header is None:
            raise EmptyFile(file=self.name)
        section = self._section
        if isinstance(header, Refused):
            raise WrongEncoding(file=self.name, section=section.name, encoding=section.encoding)
        names = [cell.strip() for cell in header.cells]
        try:
            return CompiledSection(
                section, names, file=self.name, source=self._source, timezone=self._timezone
            )
        except MissingColumn as missing:
            likely = max(_DELIMITERS, key=names[0].count)
            if len(names) == 1 and likely in names[0]:
                raise WrongDelimiter(
                    file=self.name,
                    section=section.name,
                    found=names[0],
                    delimiter=section.delimiter,
                    likely=likely,
                ) from missing
            raise
