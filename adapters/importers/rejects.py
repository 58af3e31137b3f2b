"""The rejects file: each refused line as it came, with the reason. Made only when there is one."""

import os
from json import dumps
from pathlib import Path
from typing import IO, Any

from adapters.importers.items import Place
from adapters.importers.refusals import RejectsNotWritable


def default_rejects(first: str) -> Path:
    """Next to the first file read, or in the current directory for stdin or where nothing can be written."""
    if first == "-":
        return Path("stdin.rejects.ndjson")
    beside = Path(f"{first}.rejects.ndjson")
    return beside if os.access(beside.parent, os.W_OK) else Path(beside.name)


class RejectsFile:
    """Written anew by each run. With `name_files` every line says its file."""

    def __init__(self, path: Path, *, name_files: bool) -> None:
        self.path = path
        self._name_files = name_files
        self._file: IO[str] | None = None

    @property
    def written(self) -> bool:
        return self._file is not None

    def write(self, place: Place, error: dict[str, Any]) -> None:
        """Add a line. Raises RejectsNotWritable."""
        content: dict[str, Any] = {"file": place.file} if self._name_files else {}
        content |= {"line": place.line, "error": error, "input": as_text(place.raw)}
        text = dumps(content, ensure_ascii=False, default=str)
        if not _encodable(text):
            text = dumps(content, ensure_ascii=True, default=str)
        if self._file is None:
            self._file = self._create()
        self._file.write(text + "\n")

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def forget_earlier(self) -> None:
        """Take away what an earlier run left, if this one, now complete, had nothing to refuse."""
        if self._file is None and self.path.is_file() and not self.path.is_symlink():
            self.path.unlink()

    def _create(self) -> IO[str]:
        try:
            return self.path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise RejectsNotWritable(file=str(self.path), reason=error.strerror) from error


def as_text(raw: bytes | str) -> str:
    """The line without its end. A byte that is not UTF-8 becomes U+DC80 to U+DCFF (surrogateescape)."""
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    for end in ("\r\n", "\n", "\r"):
        if text.endswith(end):
            return text[: -len(end)]
    return text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
