"""The mapping language: what it says, and what it refuses."""

from pathlib import Path

import pytest
from importing import GOOD, HEADER, MAPPING, import_csv

from adapters.importers.mapping import load_mapping
from adapters.importers.refusals import InvalidMapping, NoFile


def loaded_errors(folder: Path, text: str) -> str:
    (folder / "m.toml").write_text(text, "utf-8")
    with pytest.raises(InvalidMapping) as caught:
        load_mapping(folder / "m.toml")
    assert caught.value.code == "invalid_mapping"
    return caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("when =", "whn =", "m.toml: section 'deals' → action 'deal.win' → whn: unknown key"),
        ('source = "test"', "", "m.toml: source: is missing"),
        ('key = "{id}"', "", "section 'deals' → key: is missing"),
        ('key = "{id}"', 'key = "{id"', "key: '{id': a brace stands alone"),
        ("Europe/Berlin", "Europe/Berlino", "timezone: 'Europe/Berlino' is no IANA time zone"),
        ('key = "{id}"', 'key = "{id}"\nencoding = "utf8000"', "'utf8000' is no encoding"),
        ('key = "{id}"', 'key = "{id}"\ndelimiter = ";;"', "section 'deals' → delimiter: "),
        ('type = "time"', 'type = "tim"', "section 'deals' → columns → won → type: "),
        (
            'type = "time"',
            'type = "amount"',
            "time = '{won}' is neither a constant nor one column of type time",
        ),
        ('time = "{won}"', 'time = "{won} 12:00"', "is neither a constant nor one column of type time"),
        ('time = "{won}"', 'time = "tomorrow"', "'tomorrow' is no ISO date or time"),
        ('time = "{won}"', "", "action 1 (deal.win): has no time, nor has the section"),
        ('actor = "service:test"', "", "action 1 (deal.win): has no actor, nor has the section"),
        ('type = "deal.lose"', 'type = "deal.win"', "action 2: a second deal.win needs an 'id' of its own"),
        (
            'type = "amount", decimal = ",", thousands = "."',
            'decimal = ","',
            "'decimal' is for columns of type",
        ),
        ('thousands = "."', 'thousands = ","', "'decimal' and 'thousands' are the same sign"),
        ('type = "time"', 'type = "time", default = "1.1.2025"', "not of the column's own format iso"),
        ('when = { stage = "Won" }', 'when = { stage = "Won" }\nonce = "yes"', "→ once: "),
        ('source = "test"', "source = ", "not TOML"),
        ('amount = "{value}"', "at = 2025-01-01T00:00:00", "has no offset"),
    ],
)
def test_what_is_wrong_is_named_with_its_section_and_key(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in MAPPING
    assert says in loaded_errors(tmp_path, MAPPING.replace(old, new, 1))


def test_all_errors_are_told_at_once(tmp_path: Path) -> None:
    assert len(loaded_errors(tmp_path, 'sorce = "x"').splitlines()) == 3


def test_two_sections_of_one_name_are_refused(tmp_path: Path) -> None:
    section = MAPPING[MAPPING.index("[[section]]") :]
    assert "two sections are named 'deals'" in loaded_errors(tmp_path, MAPPING + section)


def test_an_absent_mapping_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoFile, match="No such file"):
        load_mapping(tmp_path / "m.toml")


def one_action(
    folder: Path, columns: str, action: str, row: str, header: str = "id,a,b\n"
) -> dict[str, object]:
    mapping = (
        'source = "test"\n[[section]]\nname = "s"\nfiles = "*.csv"\nkey = "{id}"\nactor = "x"\n'
        f"time = 2025-01-01\n{columns}\n[[section.action]]\ntype = 't'\n{action}\n"
    )
    done = import_csv(folder, header + row, mapping)
    assert done.rejects == []
    [sent] = done.actions
    return dict(sent)


@pytest.mark.parametrize(
    ("template", "row", "data"),
    [
        ('x = "{a}"', "1,Ann,", {"x": "Ann"}),
        ('x = "{ a }"', "1, Ann ,", {"x": "Ann"}),
        ('x = "{b}"', "1,Ann,", {}),
        ('x = "{a} {b}"', "1,Ann,Lee", {"x": "Ann Lee"}),
        ('x = "{a} {b}"', "1,,Lee", {"x": "Lee"}),
        ('x = "{a} {b}"', "1,,", {}),
        ('x = "no. {a}"', "1,,", {}),
        ('x = "{{a}} 100 % {a}"', "1,5 %,", {"x": "{a} 100 % 5 %"}),
        ('x = "{{plain}}"', "1,,", {"x": "{plain}"}),
        ('x = ["{a}", "{b}", "c"]', "1,,Lee", {"x": ["Lee", "c"]}),
        ('x = { y = "{a}", z = { w = "{b}" } }', "1,,Lee", {"x": {"z": {"w": "Lee"}}}),
        ('x = { y = "{a}" }', "1,,", {"x": {}}),
        ("x = 2025-03-01\ny = 3\nz = true", "1,,", {"x": "2025-03-01", "y": 3, "z": True}),
        ("x = 2025-03-01T12:00:00Z", "1,,", {"x": "2025-03-01T12:00:00+00:00"}),
    ],
)
def test_templates(tmp_path: Path, template: str, row: str, data: dict[str, object]) -> None:
    assert one_action(tmp_path, "", f"[section.action.data]\n{template}", row + "\n")["data"] == data


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ('type = "time"', "2025-07-01", "2025-07-01T00:00:00+00:00"),
        ('type = "time", timezone = "Asia/Tokyo"', "2025-07-01 08:30", "2025-07-01T08:30:00+09:00"),
        ('type = "time", timezone = "Asia/Tokyo"', "2025-07-01T08:30:00-05:00", "2025-07-01T08:30:00-05:00"),
        ('type = "time", format = "%d.%m.%Y %H:%M"', "01.07.2025 08:30", "2025-07-01T08:30:00+00:00"),
        ('type = "time", format = ["%d.%m.%Y", "iso"]', "2025-07-01", "2025-07-01T00:00:00+00:00"),
        ('type = "day", format = "%m/%d/%Y", timezone = "Asia/Tokyo"', "7/1/2025", "2025-07-01"),
        ('type = "amount"', "+012.50", "12.50"),
        ('type = "amount"', "-3", "-3"),
        ('type = "amount", thousands = ","', '"1,234,567.5"', "1234567.5"),
        ('type = "amount", thousands = ","', "1234567", "1234567"),
        ('type = "amount", decimal = ",", thousands = " "', '"1\u00a0234,5"', "1234.5"),
        ('default = "none"', "", "none"),
        ('default = "x", aliases = { x = "y" }', "", "y"),
        ('aliases = { "n/a" = "" }, default = "x"', "n/a", None),
        ('aliases = { GTXPro = "GTX Pro" }', "GTXPro", "GTX Pro"),
    ],
)
def test_columns(tmp_path: Path, column: str, cell: str, said: str | None) -> None:
    action = one_action(tmp_path, f"columns.a = {{ {column} }}", 'data = { x = "{a}" }', f"1,{cell},\n")
    assert action["data"] == ({"x": said} if said is not None else {})


def test_a_view_reads_a_column_another_way(tmp_path: Path) -> None:
    columns = 'columns.v = { from = "a", aliases = { Won = "Engaging" } }'
    action = one_action(tmp_path, columns, 'data = { x = "{a}", y = "{v}" }', "1,Won,\n")
    assert action["data"] == {"x": "Won", "y": "Engaging"}


def test_an_optional_column_may_be_absent(tmp_path: Path) -> None:
    columns = 'columns.z = { optional = true, default = "-" }'
    assert one_action(tmp_path, columns, 'data = { x = "{z}" }', "1,2,3\n")["data"] == {"x": "-"}


@pytest.mark.parametrize(
    ("conditions", "sent"),
    [
        ('when = { stage = ["Won", "Lost"] }', "wl"),
        ('when = { stage = "Won", note = "" }', ""),
        ('when = { note = "" }', "l"),
        ('unless = { note = "" }', "w"),
        ('unless = { stage = "Lost", note = "n" }', ""),
    ],
)
def test_conditions_on_columns(tmp_path: Path, conditions: str, sent: str) -> None:
    mapping = (
        'source = "t"\n[[section]]\nname = "s"\nfiles = "*.csv"\nkey = "{id}"\nactor = "x"\n'
        f'time = 2025-01-01\n[[section.action]]\ntype = "t"\nsubject = "{{id}}"\n{conditions}\n'
    )
    done = import_csv(tmp_path, "id,stage,note\nw,Won,n\nl,Lost,\n", mapping)
    assert "".join(str(action["subject"]) for action in done.actions) == sent


ONCE = """
source = "t"
[[section]]
name = "s"
files = "*.csv"
key = "{id}"
actor = "x"
time = "{at}"
columns.at = { type = "time" }
[[section.action]]
type = "rep.hire"
subject = "{rep}"
once = true
[[section.action]]
type = "deal.open"
subject = "{id}"
"""


def test_once_sends_an_action_for_the_first_of_its_subjects(tmp_path: Path) -> None:
    text = "id,rep,at\n1,Ann,2025-03-01\n2,Ann,2025-02-01\n3,Bob,2025-01-01\n"
    ids = [action["id"] for action in import_csv(tmp_path, text, ONCE).actions]
    assert ids == [
        "s/Ann/rep.hire", "s/1/deal.open", "s/2/deal.open", "s/Bob/rep.hire", "s/3/deal.open"
    ]  # fmt: skip
    migrated = import_csv(tmp_path, text, ONCE, migration=True).actions
    assert [(action["id"], action["recordedtime"]) for action in migrated if "Ann" in action["id"]] == [
        ("s/Ann/rep.hire", "2025-02-01T00:00:00+00:00")
    ]


def test_constant_actions_come_first_and_a_changed_one_is_a_new_action(tmp_path: Path) -> None:
    first = '[[first]]\ntype = "pipeline.define"\nsubject = "p"\ntime = 2025-01-01\nactor = "admin:a"\n'
    one = import_csv(tmp_path, HEADER + GOOD, MAPPING + first + "data = { protection_days = 1 }\n").actions[0]
    two = import_csv(tmp_path, HEADER + GOOD, MAPPING + first + "data = { protection_days = 2 }\n").actions[0]
    assert (one["type"], one["time"], one["data"]) == (
        "pipeline.define", "2025-01-01T00:00:00+01:00", {"protection_days": 1}
    )  # fmt: skip
    assert one["id"].startswith("first/p/pipeline.define/")
    assert one["id"] != two["id"]
