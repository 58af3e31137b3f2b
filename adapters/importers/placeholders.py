"""Text with column placeholders: `{Deal owner}`; a brace is written twice, `{{`."""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

Values = Sequence[str | None]
Fill = Callable[[Values], Any]
"""From a row's values to what the template gives; None where every placeholder in it is empty."""

_TOKEN = re.compile(r"(\{\{|\}\}|\{[^{}]+\}|[{}])")


def parts(text: str) -> list[tuple[bool, str]]:
    """The text's pieces: (is a placeholder, the column's name or the literal). ValueError: a brace alone."""
    found: list[tuple[bool, str]] = []
    for piece in _TOKEN.split(text):
        if piece in ("{", "}"):
            raise ValueError(f"'{text}': a brace stands alone; write {{column}}, or {{{{ for a brace")
        if piece in ("{{", "}}"):
            found.append((False, piece[0]))
        elif piece.startswith("{"):
            found.append((True, piece[1:-1].strip()))
        elif piece:
            found.append((False, piece))
    return found


def placeholders(text: str) -> list[str]:
    """The columns that the text names. Raises ValueError if a brace is alone."""
    return [piece for is_column, piece in parts(text) if is_column]


def named(data: Any) -> list[str]:
    """The columns named anywhere in nested data."""
    if isinstance(data, str):
        return placeholders(data)
    inside = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [name for each in inside for name in named(each)]


def compile_text(text: str, slots: Mapping[str, int]) -> Fill:
    """Fill for one text; `slots` gives each column's place among the values."""
    pieces = parts(text)
    if not any(is_column for is_column, _ in pieces):
        literal = "".join(piece for _, piece in pieces)
        return lambda values: literal
    if len(pieces) == 1:
        return itemgetter(slots[pieces[0][1]])
    places = [slots[piece] for is_column, piece in pieces if is_column]
    form = "".join("%s" if is_column else piece.replace("%", "%%") for is_column, piece in pieces)
    if len(places) == 1:
        place = places[0]
        return lambda values: None if values[place] is None else form % values[place]

    def fill(values: Values) -> str | None:
        chosen = [values[place] for place in places]
        if not any(chosen):
            return None
        return (form % tuple(each or "" for each in chosen)).strip()

    return fill


def compile_data(data: Any, slots: Mapping[str, int]) -> Fill:
    """Fill for nested data: what is empty is left out of objects and lists."""
    if isinstance(data, str):
        return compile_text(data, slots)
    if not named(data):
        plain = _unescaped(data)
        return lambda values: plain
    if isinstance(data, dict):
        return _object([(key, compile_data(value, slots)) for key, value in data.items()])
    fills = [compile_data(each, slots) for each in data]
    return lambda values: [said for fill in fills if (said := fill(values)) is not None]


def _object(fields: list[tuple[str, Fill]]) -> Fill:
    def fill(values: Values) -> dict[str, Any]:
        filled = {}
        for key, field in fields:
            said = field(values)
            if said is not None:
                filled[key] = said
        return filled

    return fill


def _unescaped(data: Any) -> Any:
    if isinstance(data, str):
        return "".join(piece for _, piece in parts(data))
    if isinstance(data, dict):
        return {key: _unescaped(value) for key, value in data.items()}
    return [_unescaped(each) for each in data] if isinstance(data, list) else data
