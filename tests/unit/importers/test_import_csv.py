"""CSV in through a mapping: every kind of row that can come."""

import json
from pathlib import Path

import pytest
from importing import GOOD, HEADER, MAPPING, import_csv
from recording_submitter import RecordingSubmitter

from adapters.importers.refusals import SourceRefusal


def test_a_row_becomes_an_action(tmp_path: Path) -> None:
    done = import_csv(tmp_path, HEADER + GOOD)
    assert done.actions == [
        {
            "specversion": "1.0",
            "id": "deals/a/deal.win",
            "source": "test",
            "type": "deal.win",
            "subject": "a",
            "time": "2025-07-01T00:00:00+02:00",
            "actor": "service:test",
            "data": {"amount": "1234.50"},
        }
    ]


@pytest.mark.parametrize(
    ("row", "code", "says"),
    [
        ("b,Won,2025-07-01", "wrong_cell_count", "3 cells"),
        ("b,Won,2025-07-01,1,2", "wrong_cell_count", "5 cells"),
        ("b,Won,07/01/2025,1", "invalid_date", "07/01/2025"),
        ("b,Won,2025-02-30,1", "invalid_date", "2025-02-30"),
        ("b,Won,,1", "empty_value", "deal.win needs time"),
        (",Won,2025-07-01,1", "empty_value", "key"),
        ("b,Won,2025-07-01,1.5", "invalid_amount", "1.5"),
        ("b,Won,2025-07-01,NaN", "invalid_amount", "NaN"),
        ("b,Won,2025-07-01,1e3", "invalid_amount", "1e3"),
        ("b,Won,2025-07-01,$5", "invalid_amount", "1.234,50"),
        ("b,Paused,2025-07-01,1", "unmapped_value", "Won, Lost"),
        ("b,,2025-07-01,1", "unmapped_value", "stage"),
        ('b,"Won"x,2025-07-01,1', "malformed", "quote"),
        ("b\0,Won,2025-07-01,1", "malformed", "NUL"),
        ("b" * 200_000 + ",Won,2025-07-01,1", "too_large", "131072"),
        ("b" * 1_100_000 + ",Won,2025-07-01,1", "too_large", "1048576"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line_and_the_rest_goes_on(
    tmp_path: Path, row: str, code: str, says: str
) -> None:
    done = import_csv(tmp_path, HEADER + GOOD + row + "\n" + GOOD.replace("a", "c", 1))
    assert [action["subject"] for action in done.actions] == ["a", "c"]
    assert done.codes == [(3, code)]
    assert says in done.rejects[0]["error"]["message"]
    assert done.rejects[0]["input"] == (row if len(row) < 1_048_576 else row[:1_000])


def test_broken_utf8_is_refused_and_kept_without_loss(tmp_path: Path) -> None:
    done = import_csv(tmp_path, (HEADER + GOOD).encode() + b"M\xfcller,Won,2025-07-01,1\n")
    assert done.codes == [(3, "malformed")]
    assert done.rejects[0]["input"].encode("utf-8", "surrogateescape") == b"M\xfcller,Won,2025-07-01,1"


def test_lines_are_those_of_the_file_also_after_quoted_newlines(tmp_path: Path) -> None:
    text = HEADER + '"x\ny\r\nz",Won,2025-07-01,1\n\n,,,\nb,Paused,2025-07-01,1\n"q\n2",Paused,2025-07-01,1\n'
    done = import_csv(tmp_path, text)
    assert [action["subject"] for action in done.actions] == ["x\ny\r\nz"]
    assert done.codes == [(7, "unmapped_value"), (8, "unmapped_value")]
    assert done.rejects[1]["input"] == '"q\n2",Paused,2025-07-01,1'


def test_an_open_quote_takes_no_other_row_with_it(tmp_path: Path) -> None:
    rows = "".join(f"r{number},Won,2025-07-01,1\n" for number in range(30_000))
    done = import_csv(tmp_path, HEADER + '"b,Won,2025-07-01,1\n' + rows)
    assert done.codes == [(2, "malformed")]
    assert len(done.actions) == 30_000


def test_an_open_quote_at_the_end_is_refused(tmp_path: Path) -> None:
    done = import_csv(tmp_path, HEADER + GOOD + '"b,Won,2025-07-01,1\nc,Won,2025-07-01,1')
    assert done.codes == [(3, "malformed")]
    assert [action["subject"] for action in done.actions] == ["a", "c"]


def test_a_huge_line_within_a_quote_is_refused_alone(tmp_path: Path) -> None:
    text = HEADER + '"b\n' + "y" * 3_000 + "\n" + "c,Won,2025-07-01,1\n"
    done = import_csv(tmp_path, text, line_max=2_000)
    assert done.codes == [(2, "malformed"), (3, "too_large")]
    assert done.rejects[1]["error"]["details"]["length"] == 3_001
    assert [action["subject"] for action in done.actions] == ["c"]


HEADERS = [
    ("id;stage;won;value\na;Won;2025-07-01;1\n", "wrong_delimiter", "delimiter = ';'"),
    ("id\tstage\twon\tvalue\n", "wrong_delimiter", "delimiter = '\t'"),
    (
        "id,stage,won\n",
        "missing_column",
        "no column value, which section 'deals' needs. Found: id, stage, won.",
    ),
    ("Id\n", "missing_column", "Found: Id."),
    ("id,stage,won,value,id\n", "ambiguous_column", "column id more than once"),
    ("", "empty_file", "begins with a header"),
    ("\n\n", "empty_file", "begins with a header"),
    (b"\xff\xfei\0d\0", "wrong_encoding", "utf-16"),
]


@pytest.mark.parametrize(("text", "code", "says"), HEADERS)
def test_a_header_that_does_not_fit_stops_everything(
    tmp_path: Path, text: str | bytes, code: str, says: str
) -> None:
    engine = RecordingSubmitter()
    with pytest.raises(SourceRefusal) as caught:
        import_csv(tmp_path, text, engine=engine)
    assert caught.value.code == code
    assert says in caught.value.message
    assert engine.batches == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    mapping = (
        MAPPING if encoding == "utf-8-sig" else MAPPING.replace("key =", f'encoding = "{encoding}"\nkey =')
    )
    done = import_csv(tmp_path, (HEADER + GOOD.replace("a", "Müller", 1)).encode(encoding), mapping)
    assert [action["subject"] for action in done.actions] == ["Müller"]


def test_an_old_macintosh_or_windows_file_has_the_same_rows(tmp_path: Path) -> None:
    for end in ("\r", "\r\n"):
        done = import_csv(tmp_path, (HEADER + GOOD + "b,Paused,2025-07-01,1\n").replace("\n", end))
        assert [action["subject"] for action in done.actions] == ["a"]
        assert done.codes == [(3, "unmapped_value")]
        assert done.rejects[0]["input"] == "b,Paused,2025-07-01,1"


def test_aliases_hold_before_known_values(tmp_path: Path) -> None:
    done = import_csv(tmp_path, HEADER + "a,won!,2025-07-01,1\n")
    assert [action["type"] for action in done.actions] == ["deal.win"]


def test_shuffled_and_longer_exports_add_only_what_is_new(tmp_path: Path) -> None:
    engine = RecordingSubmitter()
    rows = [f"{name},Won,2025-07-01,1\n" for name in "abc"]
    import_csv(tmp_path, HEADER + "".join(rows[:2]), engine=engine)
    again = import_csv(tmp_path, HEADER + "".join(reversed(rows)), engine=engine)
    assert (again.summary.accepted, again.summary.duplicates) == (1, 2)


def test_a_refused_action_ends_its_row_alone(tmp_path: Path) -> None:
    mapping = MAPPING + '[[section.action]]\ntype = "deal.reopen"\n[[section.action]]\ntype = "deal.split"\n'
    engine = RecordingSubmitter(
        lambda action: "deal_closed" if (action["subject"], action["type"]) == ("a", "deal.reopen") else None
    )
    done = import_csv(tmp_path, HEADER + GOOD + GOOD.replace("a", "b", 1), mapping, engine=engine)
    assert [(action["subject"], action["type"]) for action in done.actions] == [
        ("a", "deal.win"),
        ("b", "deal.win"),
        ("b", "deal.reopen"),
        ("b", "deal.split"),
    ]
    assert done.codes == [(2, "deal_closed")]
    assert (done.summary.accepted, done.summary.rejected) == (4, 1)


def test_a_row_stays_refused_in_the_batches_that_follow(tmp_path: Path) -> None:
    """In a migration one row's actions lie far apart in time, so in several batches."""
    mapping = MAPPING + '[[section.action]]\ntype = "deal.reopen"\ntime = 2030-01-01\n'
    rows = "".join(f"r{number},Won,2025-07-01,1\n" for number in range(1_500))
    engine = RecordingSubmitter(
        lambda action: "no" if (action["subject"], action["type"]) == ("r3", "deal.win") else None
    )
    done = import_csv(tmp_path, HEADER + rows, mapping, engine=engine, migration=True)
    assert len(engine.batches) == 3
    assert done.codes == [(5, "no")]
    assert len(done.actions) == 2_998


def test_recording_times_are_for_migrations_only(tmp_path: Path) -> None:
    mapping = MAPPING.replace('type = "deal.win"', 'type = "deal.win"\nrecordedtime = 2026-01-01T00:00:00Z')
    plain = import_csv(tmp_path, HEADER + GOOD, mapping)
    migrated = import_csv(tmp_path, HEADER + GOOD, mapping, migration=True)
    assert "recordedtime" not in plain.actions[0]
    assert migrated.actions[0]["recordedtime"] == "2026-01-01T00:00:00+00:00"


def test_rejects_of_an_earlier_run_are_rewritten_then_gone(tmp_path: Path) -> None:
    bad = "b,Paused,2025-07-01,1\n"
    import_csv(tmp_path, HEADER + bad + bad)
    assert len(import_csv(tmp_path, HEADER + bad).rejects) == 1
    assert import_csv(tmp_path, HEADER + GOOD).rejects == []
    assert not (tmp_path / "rejects.ndjson").exists()


def test_rejects_keep_letters_readable(tmp_path: Path) -> None:
    import_csv(tmp_path, HEADER + "Иванов,Paused,2025-07-01,1\n")
    raw = (tmp_path / "rejects.ndjson").read_text("utf-8")
    assert "Иванов" in raw
    assert list(json.loads(raw)) == ["line", "error", "input"]
