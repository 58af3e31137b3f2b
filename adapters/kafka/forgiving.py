"""Records whose headers have names that are not UTF-8: without this the client stops at them for ever."""

from functools import cache
from typing import Any


class _Text(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _Forgiving(bytearray):
    """Parts of it are text whatever they are: each byte that is not UTF-8 reads \\xff."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return found if isinstance(found, int) else _Text(found)


@cache
def forgive() -> None:
    """Have Kafka's client take such names, for all of this process."""
    from kafka.record.default_records import DefaultRecordBatch

    read = DefaultRecordBatch._read_msg

    def read_whatever_it_is(batch: Any) -> Any:
        try:
            return read(batch)
        except UnicodeDecodeError:
            batch._buffer = _Forgiving(batch._buffer)  # Slow, so only where it must be.
            return read(batch)

    DefaultRecordBatch._read_msg = read_whatever_it_is
