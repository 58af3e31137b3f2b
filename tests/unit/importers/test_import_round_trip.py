"""Properties: whatever cells hold, no row is lost, merged or moved to another line."""

import csv
import io
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.importers.items import Place, Proposed, Refused
from adapters.importers.rejects import RejectsFile
from adapters.importers.table import Dialect, Row, Table
from adapters.importers.timeorder import TimeOrder

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    ',;"\n\r\t ab', max_size=8
)
ROW = st.lists(CELL, min_size=2, max_size=4).filter(any)


def table(text: str, dialect: Dialect) -> Table:
    return Table(io.StringIO(text, newline=""), "f", dialect)


@settings(deadline=None)
@given(
    rows=st.lists(ROW, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_was_written_is_read(rows: list[list[str]], delimiter: str, end: str, quoting: int) -> None:
    out = io.StringIO(newline="")
    starts = []
    for row in rows:
        starts.append(lines_of(out.getvalue()) + 1)
        # Python 3.11's writer leaves a lone carriage return unquoted.
        style = csv.QUOTE_ALL if any("\r" in cell for cell in row) else quoting
        csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=style).writerow(row)
    read = list(table(out.getvalue(), Dialect(delimiter)).rows())
    assert [each.cells if isinstance(each, Row) else each for each in read] == rows
    assert [each.place.line for each in read] == starts
    assert "".join(str(each.place.raw) for each in read) == out.getvalue()


def lines_of(text: str) -> int:
    return len(list(io.StringIO(text, newline="")))


@settings(deadline=None)
@given(text=st.text(st.sampled_from('ab,"\n\r'), max_size=60))
def test_no_text_is_lost_whatever_it_is(text: str) -> None:
    """Every line that is not empty is in exactly one row or refusal, in order."""
    told = "".join(str(each.place.raw) for each in table(text, Dialect()).rows())
    empty = (",", "\n", "\r", '"', "")
    assert [sign for sign in told if sign not in empty] == [sign for sign in text if sign not in empty]


@settings(deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=20))
def test_broken_rows_never_take_good_ones_with_them(rows: list[tuple[int, bool]]) -> None:
    text = "".join(f'"{number}"{"x" if broken else ""},z\n' for number, broken in rows)
    read = list(table(text, Dialect()).rows())
    assert [isinstance(each, Refused) for each in read] == [broken for _, broken in rows]
    assert [each.place.line for each in read] == list(range(1, len(rows) + 1))


@settings(max_examples=30, deadline=None)
@given(hours=st.lists(st.integers(0, 9), max_size=30), in_memory_max=st.integers(1, 40))
def test_time_order_is_stable_also_through_the_disk(hours: list[int], in_memory_max: int) -> None:
    order = TimeOrder(in_memory_max)
    for number, hour in enumerate(hours):
        action = {"id": number, "time": f"2025-01-01T0{hour}:00:00Z"}
        order.add(Proposed(Place("f", number, ""), action))
    told = [item.action["id"] for item in order]
    order.close()
    assert told == sorted(range(len(hours)), key=lambda number: hours[number])


@settings(max_examples=30, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_rejects_hold_any_text(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rejects = RejectsFile(Path(folder) / "r", name_files=False)
        rejects.write(Place("f", 1, name + "\udcff"), {"code": "x"})
        rejects.close()
        [line] = (Path(folder) / "r").read_text("utf-8").splitlines()
        assert json.loads(line)["input"] == name + "\udcff"
