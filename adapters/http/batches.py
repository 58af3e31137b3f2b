"""Batches taken apart without reading what is in them: each action is refused or accepted alone."""

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder

from adapters.http.problems import Problem

_SPACE = re.compile(r"[ \t\r\n]*")
_decode = JSONDecoder(parse_int=str, parse_float=str).raw_decode
"""Numbers are not read here, however long they are."""


def lines(body: bytes) -> list[bytes]:
    """Lines as they came, empty ones left out."""
    return [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]


def elements(body: bytes) -> list[bytes]:
    """The list's elements as they came: one that is no good is refused alone. Raises Problem for no list."""
    try:
        return [element.encode() for element in _elements(body.decode("utf-8-sig"))]
    except (ValueError, RecursionError) as broken:
        message = f"This is not a JSON list of actions: {broken}."
        raise Problem("malformed", message, problem=str(broken)) from None


def _elements(text: str) -> Iterator[str]:
    """Raises ValueError, RecursionError."""
    at = _after_space(text, 0)
    if not text.startswith("[", at):
        raise JSONDecodeError("Expecting '['", text, at)
    at = _after_space(text, at + 1)
    going_on = not text.startswith("]", at)
    while going_on:
        _, end = _decode(text, at)
        yield text[at:end]
        at = _after_space(text, end)
        if going_on := text.startswith(",", at):
            at = _after_space(text, at + 1)
    if not text.startswith("]", at) or _after_space(text, at + 1) < len(text):
        raise JSONDecodeError("Expecting the list's end", text, at)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
