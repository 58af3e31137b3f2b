"""What is stored stays readable: the events of the code against the golden catalogue."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

from adapters.postgres.codec import Codec
from adapters.postgres.upcasting import UPCASTING, Upcasting

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("catalogue", ROOT / "tests" / "catalogue.py")
assert _spec is not None
assert _spec.loader is not None
catalogue: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(catalogue)

GOLDEN = json.loads(catalogue.GOLDEN.read_text())
THING = {"properties": {"a": {"type": "string"}}, "required": ["a"], "type": "object"}


def _entry(schema: dict[str, Any], version: int = 1, sample: Any = None) -> dict[str, Any]:
    """`sample` is one of version 1."""
    samples = {} if sample is None else {"1": sample}
    return {"t.Thing": {"version": version, "schema": schema, "samples": samples}}


def test_the_log_stays_readable() -> None:
    assert catalogue.problems(GOLDEN, catalogue.current()) == []


def test_the_golden_catalogue_is_up_to_date() -> None:
    written = {name: {key: entry[key] for key in ("version", "schema")} for name, entry in GOLDEN.items()}
    assert written == catalogue.current(), "run: make catalogue"


def test_every_event_in_the_domain_is_in_the_catalogue() -> None:
    sources = [path.read_text() for path in (ROOT / "domain").rglob("*.py")]
    named = {name for source in sources for name in re.findall(r'\(Event, stored_name="([^"]+)"', source)}
    assert named == set(catalogue.current()), "its module is not imported by adapters/postgres/codec.py"


def test_old_samples_decode() -> None:
    codec = Codec()
    for name, entry in GOLDEN.items():
        for version, sample in entry["samples"].items():
            assert UPCASTING.knows(name, int(version))
            codec._decoder(name, int(version))(json.dumps(sample).encode())


def test_an_optional_field_may_come_and_nothing_may_go_or_change() -> None:
    wider = {**THING, "properties": {**THING["properties"], "b": {"type": "string"}}}  # type: ignore[dict-item]
    assert catalogue.problems(_entry(THING), _entry(wider)) == []
    assert catalogue.problems(_entry(wider), _entry(THING)) != []
    assert catalogue.problems(_entry(THING), _entry({**wider, "required": ["a", "b"]})) != []
    retyped = {**THING, "properties": {"a": {"type": "integer"}}}
    assert catalogue.problems(_entry(THING), _entry(retyped)) != []
    assert catalogue.problems(_entry(THING), {}) != []


def test_another_version_needs_an_upcaster_and_an_old_sample() -> None:
    steps = Upcasting()
    later = _entry({"type": "object"}, version=2)
    assert len(catalogue.problems(_entry(THING), later, steps)) == 2
    steps.register("t.Thing", 1)(dict)
    assert catalogue.problems(_entry(THING), later, steps) == [
        "t.Thing has no sample of version 1 in catalogue.json"
    ]
    assert catalogue.problems(_entry(THING, sample={"a": "x"}), later, steps) == []
    assert catalogue.problems(later, _entry(THING), steps) == ["t.Thing went back from version 2 to 1"]
