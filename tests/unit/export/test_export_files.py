"""Files whole or not at all, and text that XML and SQLite must bear."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.export.ocel_reading import reading
from adapters.export.ocel_sqlite import write_ocel_sqlite
from adapters.export.whole import whole
from adapters.export.xes import write_xes
from domain.deals.events import DealOpened, StageEntered
from domain.kernel import Event, Recorded

XES = "{http://www.xes-standard.org/}"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


def facts(*entries: tuple[str, Event], at: Iterable[datetime] = ()) -> list[Recorded[Event]]:
    times = [*at] or [NOON] * len(entries)
    return [
        Recorded(event, stream, place, place, moment, NOON, "ann", "test", str(place))
        for place, ((stream, event), moment) in enumerate(zip(entries, times, strict=True), start=1)
    ]


def traces(log: list[Recorded[Event]], folder: Path) -> list[ElementTree.Element]:
    database = folder / "ocel.sqlite"
    database.unlink(missing_ok=True)
    write_ocel_sqlite([log], database)
    with reading(database) as ocel:
        write_xes(ocel, folder / "deals.xes")
    return ElementTree.parse(folder / "deals.xes").getroot().findall(f"{XES}trace")


def value(element: ElementTree.Element, key: str) -> str | None:
    return next((child.get("value") for child in element if child.get("key") == key), None)


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with whole(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_fails_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        _half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _half(path: Path) -> None:
    with whole(path) as beside:
        beside.write_text("half")
        raise ZeroDivisionError


@given(deal=TEXTS, stage=TEXTS)
def test_any_text_comes_through_xml(deal: str, stage: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """But for characters that XML doesn't have: they become U+FFFD."""
    folder = tmp_path_factory.mktemp("xes")
    stream = f"deal-{deal}"
    log = facts((stream, DealOpened(lead="L", pipeline="p")), (stream, StageEntered(stage=stage)))
    (trace,) = traces(log, folder)
    entered = trace.findall(f"{XES}event")[1]
    assert value(trace, "concept:name") == _in_xml(deal)
    assert value(entered, "stage") == _in_xml(stage)


def _in_xml(text: str) -> str:
    """By the production Char of XML 1.0, said in another way than the writer says it."""
    lasting = {"\t", "\n", "\r"}
    return "".join(
        "\ufffd" if (ord(one) < 32 and one not in lasting) or ord(one) in (0xFFFE, 0xFFFF) else one
        for one in text
    )


def test_a_trace_goes_by_the_time_of_the_business_then_by_position(tmp_path: Path) -> None:
    opened = ("deal-D", DealOpened(lead="L", pipeline="p"))
    stages = [("deal-D", StageEntered(stage=stage)) for stage in ("b", "c", "a")]
    early = NOON.replace(hour=9)
    (trace,) = traces(facts(opened, *stages, at=[early, NOON, NOON, early]), tmp_path)
    events = trace.findall(f"{XES}event")
    assert [value(one, "position") for one in events] == ["1", "4", "2", "3"]
    assert value(events[0], "time:timestamp") == "2026-01-05T09:00:00.000000Z"


def test_money_is_kept_to_the_digit(tmp_path: Path) -> None:
    amount = Decimal("12345678901234567890.10")
    opened = DealOpened(lead="L", pipeline="p", amount=amount, currency="USD")
    write_ocel_sqlite([facts(("deal-D", opened))], tmp_path / "ocel.sqlite")
    database = sqlite3.connect(tmp_path / "ocel.sqlite")
    rows = database.execute("SELECT amount FROM object_deal WHERE ocel_changed_field = 'amount'").fetchall()
    database.close()
    assert rows == [(str(amount),)]
