"""The AsyncAPI document is what the code says, and says what is on the wire."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import yaml
from asyncapi import DOCUMENT, document, text

from adapters.kafka.cloudevents import ATTRIBUTES, record, row_of
from domain.kernel import Event


def refs(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for name, held in node.items():
            if name == "$ref":
                yield held
            yield from refs(held)
    elif isinstance(node, list):
        for held in node:
            yield from refs(held)


def test_the_document_is_made_from_the_code() -> None:
    assert DOCUMENT.read_text() == text(), "run python -m tests.asyncapi"


def test_it_is_yaml_of_what_was_meant() -> None:
    assert yaml.safe_load(DOCUMENT.read_text()) == document()


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    found = set(refs(whole))
    assert len(found) > len(Event.catalogue) / 2
    for ref in found:
        node: Any = whole
        for step in ref.removeprefix("#/").split("/"):
            node = node[step]


def test_a_row_survives_the_way_there_and_back() -> None:
    at = datetime(2026, 10, 2, 9, 15, 0, 1, UTC)
    for correlation, causation, migrated in ((None, None, False), ("ж", "c-2", True)):
        row = ("lead-Ж 1", 3, 4711, "leads.LeadClaimed", 2, b'{"a":1}', at, at, "rep-7", "crm", "a-1")
        whole = (*row, correlation, causation, migrated)
        key, value, headers = record(whole, b"dealtrail")
        assert (key, value) == ("lead-Ж 1".encode(), b'{"a":1}')
        assert row_of(value, headers) == whole
        names = [name for name, _ in headers]
        assert len(names) == len(set(names)) == len(ATTRIBUTES) - (0 if migrated else 3)
