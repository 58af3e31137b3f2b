"""Rows of a CSV stream with their true line numbers and text; a broken row never takes others with it."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from adapters.importers.items import Place, Refused
from adapters.importers.ndjson import LINE_MAX, SHOWN_MAX
from adapters.importers.refusals import CellTooLarge, LineTooLarge, Malformed


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are written. An empty `quote` means that quotes are ordinary characters."""

    delimiter: str = ","
    quote: str = '"'


@dataclass(slots=True)
class Row:
    """The cells of one row, with its place."""

    place: Place
    cells: list[str]


class _Overlong(Exception):  # noqa: N818 - named for what was met, like Rejected
    """A line longer than allowed; holds its beginning and its length in characters."""

    def __init__(self, shown: str, length: int) -> None:
        super().__init__()
        self.shown, self.length = shown, length


class _Lines:
    """The stream's lines with their ends, numbered, and able to be given back."""

    def __init__(self, stream: TextIO, line_max: int) -> None:
        self._readline = stream.readline
        self._line_max = line_max
        self._back: deque[str | _Overlong] = deque()
        self.number = 0
        self.taken: list[str | _Overlong] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        if isinstance(line, _Overlong):
            raise line
        return line

    def give_back_all_but_first(self) -> None:
        rest = self.taken[1:]
        self._back.extendleft(reversed(rest))
        self.number -= len(rest)
        del self.taken[1:]

    def _read(self) -> str | _Overlong:
        line = last = self._readline(self._line_max + 1)
        if len(line) <= self._line_max or line.endswith(("\n", "\r")):
            return line
        length = len(line)
        while not last.endswith(("\n", "\r")) and (last := self._readline(SHOWN_MAX)):
            length += len(last)
        return _Overlong(line[:SHOWN_MAX], length)


class Table:
    """The rows of a CSV text. `line_max` is the longest line in characters."""

    def __init__(self, stream: TextIO, name: str, dialect: Dialect, *, line_max: int = LINE_MAX) -> None:
        self._name = name
        self._line_max = line_max
        self._lines = _Lines(stream, line_max)
        self._dialect = dialect

    def rows(self) -> Iterator[Row | Refused]:
        """Every row that is not empty. What cannot be read is refused line by line, and the rest goes on."""
        lines = self._lines
        reader = self._reader()
        while True:
            lines.taken = []
            first = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _Overlong) as error:
                yield self._refused(first, error)
                lines.give_back_all_but_first()
                reader = self._reader()
                continue
            except UnicodeDecodeError as error:
                yield self._undecodable(first, error)
                return
            taken = lines.taken
            raw = taken[0] if len(taken) == 1 else "".join(map(str, taken))
            assert isinstance(raw, str)
            place = Place(self._name, first, raw)
            if not raw.isascii() or "\0" in raw:
                broken = _broken_text(raw)
                if broken:
                    yield Refused(place, Malformed(reason=broken))
                    continue
            if any(cells):
                yield Row(place, cells)

    def _reader(self) -> Iterator[list[str]]:
        quote = self._dialect.quote
        return csv.reader(
            self._lines,
            delimiter=self._dialect.delimiter,
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )

    def _refused(self, first: int, error: Exception) -> Refused:
        taken = self._lines.taken
        start = taken[0]
        if isinstance(start, _Overlong):
            refusal = LineTooLarge(length=start.length, unit="characters", line_max=self._line_max)
            return Refused(Place(self._name, first, start.shown), refusal)
        place = Place(self._name, first, start)
        cell_max = csv.field_size_limit()
        if len(start) > cell_max:
            return Refused(place, CellTooLarge(cell_max=cell_max))
        if len(taken) > 1 or "unexpected end" in str(error):
            return Refused(place, Malformed(reason="a quote opens in this line and is not closed properly"))
        return Refused(place, Malformed(reason=f"{error}, in what follows a quote"))

    def _undecodable(self, first: int, error: UnicodeDecodeError) -> Refused:
        raw = error.object[error.start : error.start + SHOWN_MAX]
        reason = f"not {error.encoding} from here on, the rest of the file is not read"
        return Refused(Place(self._name, first, raw), Malformed(reason=reason))


def _broken_text(raw: str) -> str | None:
    if "\0" in raw:
        return "it contains a NUL character"
    try:
        raw.encode()
    except UnicodeEncodeError as error:
        return f"not the mapping's encoding at character {error.start + 1}"
    return None
