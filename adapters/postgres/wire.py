"""Columns of Python values as PostgreSQL reads them in bulk: COPY text and array literals."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

Render = Callable[[Any], str]

_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ARRAY_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


def boolean(value: bool) -> str:
    return "t" if value else "f"


def moment(value: date) -> str:
    """A date or datetime in ISO 8601, the datetime with its offset."""
    return value.isoformat()


def texts(values: Sequence[str]) -> str:
    """Several texts as one array literal."""
    return "{" + ",".join([f'"{value.translate(_ARRAY_ESCAPES)}"' for value in values]) + "}"


def copy_block(columns: Sequence[Sequence[Any]], renders: Sequence[Render | None]) -> bytes:
    """Lines for COPY FROM STDIN. `columns` are of equal length; a render of None means text as it is."""
    fields = [_copy_fields(values, render) for values, render in zip(columns, renders, strict=True)]
    return ("\n".join(map("\t".join, zip(*fields, strict=True))) + "\n").encode()


def _copy_fields(values: Sequence[Any], render: Render | None) -> list[str]:
    plain = _rendered(values, render, "")
    # One look at the whole column is cheaper than escaping every value of it, and mostly finds nothing.
    whole = "".join(plain)
    if "\\" in whole or "\t" in whole or "\n" in whole or "\r" in whole:
        plain = [value.translate(_COPY_ESCAPES) for value in plain]
    if None in values:
        return ["\\N" if value is None else field for value, field in zip(values, plain, strict=True)]
    return plain


def array_literal(values: Sequence[Any], render: Render | None) -> str:
    """One column of a bulk write as an array literal; a render of None means text as it is."""
    plain = _rendered(values, render, "")
    whole = "".join(plain)
    if "\\" in whole or '"' in whole:
        plain = [value.translate(_ARRAY_ESCAPES) for value in plain]
    quoted = ["NULL" if value is None else f'"{field}"' for value, field in zip(values, plain, strict=True)]
    return "{" + ",".join(quoted) + "}"


def _rendered(values: Sequence[Any], render: Render | None, missing: str) -> list[str]:
    if render is None:
        return [missing if value is None else value for value in values]
    return [missing if value is None else render(value) for value in values]
