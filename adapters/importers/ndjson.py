"""NDJSON: one action a line, read as bytes without ever holding a huge line."""

from collections.abc import Iterator
from typing import BinaryIO

from adapters.importers.items import Item, Place, Proposed, Refused
from adapters.importers.refusals import LineTooLarge

LINE_MAX = 1_048_576
SHOWN_MAX = 1_000
_DRAIN = 65_536
_BOM = b"\xef\xbb\xbf"


class NdjsonSource:
    """Actions from a stream of lines. `line_max` is the longest line in bytes, its end not counted."""

    def __init__(
        self, stream: BinaryIO, name: str, *, size: int | None = None, line_max: int = LINE_MAX
    ) -> None:
        self.name = name
        self.size = size
        self.done = 0
        self._stream = stream
        self._line_max = line_max

    def items(self) -> Iterator[Item]:
        """Each line as it came, for the intake to parse, or too large; empty lines are passed over."""
        readline, limit = self._stream.readline, self._line_max + 2
        number = 0
        while line := readline(limit):
            number += 1
            self.done += len(line)
            if number == 1:
                line = line.removeprefix(_BOM)
            if len(line) > self._line_max and len(line.rstrip(b"\r\n")) > self._line_max:
                yield self._too_large(number, line)
            elif line and not line.isspace():
                yield Proposed(Place(self.name, number, line), line)

    def _too_large(self, number: int, line: bytes) -> Refused:
        length, last, end = len(line), line, line[-2:]
        while not last.endswith(b"\n") and (last := self._stream.readline(_DRAIN)):
            length += len(last)
            self.done += len(last)
            end = (end + last)[-2:]
        length -= len(end) - len(end.rstrip(b"\r\n"))
        shown = line[: SHOWN_MAX * 4].decode(errors="surrogateescape")[:SHOWN_MAX]
        refusal = LineTooLarge(length=length, unit="bytes", line_max=self._line_max, shown=SHOWN_MAX)
        return Refused(Place(self.name, number, shown), refusal)
