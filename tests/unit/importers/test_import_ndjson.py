"""NDJSON in: every kind of line that can come."""

import io
import json
from pathlib import Path

import pytest
from importing import import_ndjson
from recording_submitter import RecordingSubmitter

from adapters.importers.items import Proposed, Refused
from adapters.importers.ndjson import NdjsonSource


def line(number: int, **fields: object) -> bytes:
    action = {
        "specversion": "1.0",
        "source": "s",
        "id": f"a-{number}",
        "type": "lead.claim",
        "time": "2025-01-01T00:00:00Z",
    } | fields
    return json.dumps(action).encode()


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_each_line_is_an_action_and_empty_lines_are_none(tmp_path: Path, end: bytes) -> None:
    text = b"\xef\xbb\xbf" + end.join([line(1), b"", b"   ", line(2), line(3)])
    done = import_ndjson(tmp_path, text)
    assert [action["id"] for action in done.actions] == ["a-1", "a-2", "a-3"]
    assert done.summary.report() == {
        "accepted": 3,
        "duplicates": 0,
        "rejected": 0,
        "events": 3,
        "seconds": done.summary.seconds,
        "rejects": None,
    }
    assert not (tmp_path / "rejects.ndjson").exists()


@pytest.mark.parametrize(
    "broken",
    [
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"3",
        b"null",
        b'{"a": "\xff"}',
        b"{}{}",
        b"[" * 5_000,
    ],
)
def test_a_malformed_line_is_refused_as_it_came_and_the_rest_goes_on(tmp_path: Path, broken: bytes) -> None:
    done = import_ndjson(tmp_path, line(1) + b"\n" + broken + b"\r\n\n" + line(2))
    assert [action["id"] for action in done.actions] == ["a-1", "a-2"]
    assert done.codes == [(2, "malformed")]
    assert done.rejects[0]["input"].encode("utf-8", "surrogateescape") == broken


def test_broken_utf8_is_named_with_its_place(tmp_path: Path) -> None:
    done = import_ndjson(tmp_path, b'{"name": "M\xfcller"}\n')
    assert done.rejects[0]["error"]["message"] == "This is not an action: byte 12 is not UTF-8."


def test_a_huge_line_is_too_large_and_never_held(tmp_path: Path) -> None:
    huge = b'{"x": "' + b"y" * 10_000_000 + b'"}'
    done = import_ndjson(tmp_path, line(1) + b"\n" + huge + b"\r\n" + line(2) + b"\n")
    assert [action["id"] for action in done.actions] == ["a-1", "a-2"]
    assert done.codes == [(2, "too_large")]
    assert done.rejects[0]["error"]["details"]["length"] == len(huge)
    assert done.rejects[0]["input"] == huge[:1_000].decode()


class Watched(io.BytesIO):
    """Remembers the most that was asked for at once."""

    most = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        found = super().readline(size)
        self.most = max(self.most, len(found))
        return found


def test_the_limit_is_exact_and_bounds_what_is_read_at_once() -> None:
    stream = Watched(b'{"a":' + b" " * 1_000_000 + b"1}\n" + b"{}\n")
    items = list(NdjsonSource(stream, "s", line_max=2_000).items())
    assert [type(item) for item in items] == [Refused, Proposed]
    assert stream.most <= 65_536
    for end in (b"", b"\n", b"\r\n"):
        [fits] = NdjsonSource(io.BytesIO(b'{"a":1}' + end), "s", line_max=7).items()
        [over] = NdjsonSource(io.BytesIO(b'{"a":1}' + end), "s", line_max=6).items()
        assert isinstance(fits, Proposed)
        assert isinstance(over, Refused)
        assert over.rejection.details["length"] == 7


def test_what_the_engine_refuses_is_rejected_with_its_line(tmp_path: Path) -> None:
    engine = RecordingSubmitter(lambda action: "unknown_lead" if action["id"] == "a-2" else None)
    done = import_ndjson(tmp_path, b"\n".join(map(line, [1, 2, 3])), engine=engine)
    assert done.codes == [(2, "unknown_lead")]
    assert json.loads(done.rejects[0]["input"])["id"] == "a-2"
    assert (done.summary.accepted, done.summary.rejected) == (2, 1)


def test_batches_hold_so_many_actions(tmp_path: Path) -> None:
    engine = RecordingSubmitter()
    import_ndjson(tmp_path, b"\n".join(map(line, range(25))), engine=engine, batch=10)
    assert engine.batches == [10, 10, 5]


def test_importing_again_adds_nothing_and_only_what_is_new_later(tmp_path: Path) -> None:
    engine = RecordingSubmitter()
    import_ndjson(tmp_path, b"\n".join(map(line, [1, 2])), engine=engine)
    again = import_ndjson(tmp_path, b"\n".join(map(line, [2, 3, 1])), engine=engine)
    assert (again.summary.accepted, again.summary.duplicates, again.summary.events) == (1, 2, 1)


def test_lines_of_a_migration_stay_in_their_order(tmp_path: Path) -> None:
    """Whether that is the order of recording is for the engine to say: it refuses what isn't."""
    lines = [
        line(1, recordedtime="2025-03-01T00:00:00Z"),
        line(2, recordedtime="2025-01-01T00:00:00Z"),
        line(3),
    ]
    engine = RecordingSubmitter()
    done = import_ndjson(tmp_path, b"\n".join(lines), engine=engine, migration=True)
    assert engine.migration
    assert [action["id"] for action in done.actions] == ["a-1", "a-2", "a-3"]
    assert "recordedtime" not in done.actions[2]
