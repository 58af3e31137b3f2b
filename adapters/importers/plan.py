"""Which files are read, in which order, and as what."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from adapters.importers.csvfile import CsvSource
from adapters.importers.items import Item, Place, Proposed, Source
from adapters.importers.mapping import Mapping, Section
from adapters.importers.ndjson import LINE_MAX, NdjsonSource
from adapters.importers.refusals import NoFile, NoSection, WrongUsage
from adapters.importers.sections import constant_action


class StdinNeedsNdjson(WrongUsage):
    """- (stdin) is read as NDJSON; a CSV is read from a file, whose name tells the section of the mapping."""


class DirectoryNeedsMapping(WrongUsage):
    """{file} is a directory: name the NDJSON files in it, or give --mapping for CSV files."""


class ConstantSource:
    """The constant actions of a mapping; they are on no line, which is told as line 0."""

    size = 0

    def __init__(self, mapping: Mapping, name: str, *, timezone: ZoneInfo) -> None:
        self.name = name
        self.done = 0
        self._mapping, self._timezone = mapping, timezone

    def items(self) -> Iterator[Item]:
        for constant in self._mapping.first:
            action = constant_action(constant, source=self._mapping.source, timezone=self._timezone)
            yield Proposed(Place(self.name, 0, f"[[first]] {constant.type} {constant.subject}"), action)


def ndjson_sources(names: Sequence[str], stdin: BinaryIO, *, line_max: int = LINE_MAX) -> list[Source]:
    """A source for each file; `-` is stdin. Raises NoFile or DirectoryNeedsMapping before any is read."""
    return [
        NdjsonSource(stdin, "stdin", line_max=line_max) if name == "-" else _ndjson_file(name, line_max)
        for name in names
    ]


def csv_sources(
    names: Sequence[str],
    mapping: Mapping,
    mapping_name: str,
    *,
    timezone: ZoneInfo,
    migration: bool = False,
    line_max: int = LINE_MAX,
) -> list[Source]:
    """The constant actions, then each section's files in the mapping's order, their headers checked.

    Recording times are only taken from a `migration`. Raises NoFile, NoSection or StdinNeedsNdjson, and
    what CsvSource.check raises.
    """
    if not migration:
        mapping = mapping.without_recorded_times()
    zone = ZoneInfo(mapping.timezone) if mapping.timezone else timezone
    paths = [path for name in names for path in _named_files(name, mapping)]
    found = [
        CsvSource(path, section, source=mapping.source, timezone=zone, line_max=line_max)
        for section in mapping.section
        for path in paths
        if _fits(path, section)
    ]
    for source in found:
        source.check()
    return [ConstantSource(mapping, mapping_name, timezone=zone), *found]


class _LazyNdjsonFile:
    def __init__(self, path: Path, line_max: int) -> None:
        self.name, self.size = str(path), path.stat().st_size
        self._path, self._line_max = path, line_max
        self._reading: NdjsonSource | None = None

    @property
    def done(self) -> int:
        return self._reading.done if self._reading else 0

    def items(self) -> Iterator[Item]:
        with self._path.open("rb") as stream:
            self._reading = NdjsonSource(stream, self.name, line_max=self._line_max)
            yield from self._reading.items()


def _ndjson_file(name: str, line_max: int) -> Source:
    path = Path(name)
    if path.is_dir():
        raise DirectoryNeedsMapping(file=name)
    _check_readable(path)
    return _LazyNdjsonFile(path, line_max)


def _named_files(name: str, mapping: Mapping) -> list[Path]:
    if name == "-":
        raise StdinNeedsNdjson()
    path = Path(name)
    if path.is_dir():
        inside = [each for each in sorted(path.iterdir()) if each.is_file() and _wanted(each, mapping)]
        if not inside:
            raise NoSection(file=f"{name} (every file in it)", sections=_sections(mapping))
        return inside
    _check_readable(path)
    if not _wanted(path, mapping):
        raise NoSection(file=name, sections=_sections(mapping))
    return [path]


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise NoFile(file=str(path), reason=error.strerror) from error


def _wanted(path: Path, mapping: Mapping) -> bool:
    return any(_fits(path, section) for section in mapping.section)


def _fits(path: Path, section: Section) -> bool:
    return any(fnmatch(path.name.casefold(), pattern.casefold()) for pattern in section.patterns)


def _sections(mapping: Mapping) -> list[str]:
    return [f"{section.name} ({' '.join(section.patterns)})" for section in mapping.section]
