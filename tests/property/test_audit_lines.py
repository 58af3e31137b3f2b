"""Any event's line gives back the event; no two events share a line; no changed byte is the same event."""

import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.audit.leaf import Leaf, MalformedLine, leaf_hash, parse

TEXT = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ['"', "\\", '\\"', ",", '","data":{', '"}', "\0\x1f\x7f\u2028\ufeff", "😀", "null", "\\u0000", "\\n"]
)
OPTIONAL = st.none() | TEXT
NUMBERS = st.integers(0, 2**63 - 1)
TIMES = st.datetimes(timezones=st.just(UTC)) | st.datetimes(
    timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
STATES = st.builds(
    lambda data, ascii_only, indent: json.dumps(data, ensure_ascii=ascii_only, indent=indent).encode(),
    st.dictionaries(TEXT, JSON, max_size=4),
    st.booleans(),
    st.sampled_from([None, None, 1]),
)
LEAVES = st.builds(
    Leaf,
    NUMBERS.filter(bool),
    TIMES,
    TEXT,
    NUMBERS,
    TEXT,
    NUMBERS,
    NUMBERS,
    TIMES,
    TEXT,
    TEXT,
    TEXT,
    OPTIONAL,
    OPTIONAL,
    st.booleans(),
    STATES,
)


@given(LEAVES)
def test_a_line_gives_back_its_event(leaf: Leaf) -> None:
    line = leaf.line()
    assert parse(line) == leaf
    assert parse(line).state == leaf.state
    assert parse(line).line() == line


@given(LEAVES)
def test_a_line_is_json_that_says_the_same(leaf: Leaf) -> None:
    read = json.loads(leaf.line())
    assert list(read) == [*Leaf._fields[:-1], "data"]
    assert read["data"] == json.loads(leaf.state)
    for name in ("position", "stream", "version", "actor", "correlation_id", "causation_id", "migrated"):
        assert read[name] == getattr(leaf, name)


@given(LEAVES, LEAVES)
def test_two_events_have_two_lines(one: Leaf, other: Leaf) -> None:
    """Also where all is the same but one column."""
    for at, value in enumerate(other):
        mixed = Leaf(*one[:at], value, *one[at + 1 :])  # type: ignore[arg-type]
        assert (mixed.line() == one.line()) == (mixed == one)


@settings(max_examples=300)
@given(LEAVES, st.data())
def test_a_changed_byte_is_another_event_or_none(leaf: Leaf, data: st.DataObject) -> None:
    line = bytearray(leaf.line())
    at, value = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(0, 255))
    assume(line[at] != value)
    line[at] = value
    changed = bytes(line)
    assert leaf_hash(changed) != leaf_hash(leaf.line())
    try:
        assert parse(changed) != leaf
    except MalformedLine:
        return
    assert parse(changed).line() == changed


@given(st.binary(max_size=300))
def test_junk_is_refused_and_nothing_worse(junk: bytes) -> None:
    try:
        parse(junk)
    except MalformedLine:
        return
    raise AssertionError("it is no line")
