"""The page on personal data names every sealed field and no other."""

import re
from pathlib import Path

from adapters.postgres import codec  # noqa: F401 - brings every event into the catalogue
from domain.kernel import Event
from domain.shared.personal import personal_fields

PAGE = (Path(__file__).parents[2] / "docs" / "personal-data.md").read_text()


def test_every_sealed_field_is_named_and_no_other() -> None:
    named: dict[str, set[str]] = {}
    for events, fields in re.findall(r"^\| (`\w+\.\w+`[^|]*) \| ([^|]+) \|", PAGE, re.MULTILINE):
        for event in re.findall(r"`([\w.]+)`", events):
            named[event] = set(re.findall(r"`(\w+)`", fields))
    sealed = {name: set(personal_fields(kind)) for name, kind in Event.catalogue.items()}
    assert named == {name: fields for name, fields in sealed.items() if fields}
