"""An event's line, to the byte, and lines that are not one."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.audit.leaf import Leaf, MalformedLine, leaf_hash, parse, stamp

LEAF = Leaf(
    position=1,
    recorded_at=datetime(2026, 10, 2, 6, 15, tzinfo=UTC),
    stream="lead-L-17",
    version=1,
    name="leads.LeadRegistered",
    event_version=1,
    action_seq=0,
    occurred_at=datetime(2026, 10, 2, 9, 15, 0, 7, tzinfo=timezone(timedelta(hours=3))),
    actor="rep-7",
    source="crm",
    action="a-1",
    correlation_id=None,
    causation_id='say "it"\n',
    migrated=False,
    state='{"name":"Юлия","keys":{}}'.encode(),
)
LINE = (
    '{"position":1,"recorded_at":"2026-10-02T06:15:00.000000Z","stream":"lead-L-17","version":1'
    ',"name":"leads.LeadRegistered","event_version":1,"action_seq":0'
    ',"occurred_at":"2026-10-02T06:15:00.000007Z","actor":"rep-7","source":"crm","action":"a-1"'
    ',"correlation_id":null,"causation_id":"say \\"it\\"\\n","migrated":false'
    ',"data":{"name":"Юлия","keys":{}}}'
).encode()


def test_the_line_is_as_documented() -> None:
    assert LEAF.line() == LINE


def test_the_hash_is_what_anyone_can_rebuild() -> None:
    """(printf '\\0'; printf %s "$line") | sha256sum"""
    assert leaf_hash(LINE) == hashlib.sha256(b"\0" + LINE).digest()
    assert leaf_hash(b"") != hashlib.sha256().digest()


def test_it_is_read_back_whole() -> None:
    assert parse(LINE) == LEAF
    assert parse(LINE).state == LEAF.state


def test_a_year_has_four_digits_and_a_second_six_more() -> None:
    assert stamp(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
    assert stamp(datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)) == "9999-12-31T23:59:59.999999Z"


def test_a_time_without_offset_has_no_line() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    for leaf in (LEAF._replace(recorded_at=naive), LEAF._replace(occurred_at=naive)):
        with pytest.raises(ValueError, match="no offset"):
            leaf.line()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"position":1', '"position":0'),
        ('"position":1', '"position":-1'),
        ('"position":1', '"position":01'),
        ('"position":1', '"position":1.0'),
        ('"position":1', '"position":"1"'),
        ('"position":1', '"position":true'),
        ('"position":1', '"position":' + "9" * 6000),
        ('"position":1', '"position": 1'),
        ('"position":1', '"position":\u0661'),
        ("06:15:00.000000Z", "06:15:00Z"),
        ("06:15:00.000000Z", "06:15:00.000000+00:00"),
        ("06:15:00.000000Z", "06:15:00.000000"),
        ("06:15:00.000000Z", "06:15:60.000000Z"),
        ("2026-10-02T06:15:00.000000", "2026-10-02 06:15:00.000000"),
        ("2026-10-02T06:15:00.000000", "2026-W40-5T06:15:00.000000"),
        ("2026-10-02T06:15:00.000000", "0001-01-01T00:00:00.000000+01:00"),
        ("lead-L-17", "lead-\\u004c-17"),
        ("lead-L-17", "lead-L\\/17"),
        ("lead-L-17", "lead-L\n17"),
        ("lead-L-17", "lead-\\ud800"),
        ("lead-L-17", "lead-\\x"),
        ('say \\"it\\"\\n', "say it\\u000a"),
        ('say \\"it\\"\\n', "say it\\u001F"),
        ('"stream":"lead-L-17"', '"stream":null'),
        ('"correlation_id":null', '"correlation_id":nil'),
        ('"migrated":false', '"migrated":0'),
        ('"migrated":false', '"migrated":false,"more":1'),
        ('"version":1,', ""),
        ('"actor":"rep-7","source":"crm"', '"source":"crm","actor":"rep-7"'),
        ('{"name":"Юлия","keys":{}}}', "[]}"),
        ('{"name":"Юлия","keys":{}}}', '{"name":"Юлия","keys":{}}'),
        ('"keys":{}}}', '"keys":{}}}\n'),
        ('{"position"', ' {"position"'),
    ],
)
def test_nothing_passes_that_is_written_otherwise(old: str, new: str) -> None:
    changed = LINE.decode().replace(old, new, 1)
    assert changed.encode() != LINE
    if new == '{"name":"Юлия","keys":{}}':
        changed = changed.removesuffix("}")
    with pytest.raises(MalformedLine):
        parse(changed.encode())


@pytest.mark.parametrize(
    "junk", [b"", b"\0", b"null", b"{}", b"\xff\xfe{\0}\0", b"[" * 100_000, LINE[:-1], LINE * 2]
)
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(MalformedLine):
        parse(junk)


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(MalformedLine):
        parse(LINE.replace(b"rep-7", b"rep-\xff"))
    with pytest.raises(MalformedLine):
        parse(LINE.replace(b"rep-7", b"rep-\xff\\n"))
