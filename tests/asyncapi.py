"""The AsyncAPI document of the topics, made from the code. Run as a program it writes docs/asyncapi.yaml."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import adapters.postgres.codec  # noqa: F401 - brings every event into the catalogue
from adapters.kafka.cloudevents import ATTRIBUTES
from adapters.kafka.dead_letters import HEADERS
from adapters.settings import read_settings
from domain.kernel import Event
from services.payloads import PAYLOADS

DOCUMENT = Path(__file__).parents[1] / "docs" / "asyncapi.yaml"
_MAYBE = ("ce_correlationid", "ce_causationid", "ce_migrated")


def document() -> dict[str, Any]:
    """AsyncAPI 3.0: the three topics, what is on them, and which of it is sent and received by Dealtrail."""
    settings = read_settings({})
    events = {
        name: kind for name, kind in sorted(Event.catalogue.items()) if kind.__module__.startswith("domain.")
    }
    channels = {
        "events": _channel(settings.events_topic, "The log, in order per stream.", list(events)),
        "actions": _channel(settings.actions_topic, "What shall be recorded, keyed by lead.", ["action"]),
        "deadLetters": _channel(settings.dead_letters_topic, "What was refused, as it came.", ["deadLetter"]),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Dealtrail on Kafka",
            "version": "1.0.0",
            "description": "Events are CloudEvents in binary mode, actions in structured mode. See kafka.md.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            "publishEvents": _operation("send", "events"),
            "ingestActions": _operation("receive", "actions"),
            "refuseActions": _operation("send", "deadLetters"),
        },
        "components": {
            "messages": {
                **{name: _event_message(name, kind) for name, kind in events.items()},
                "action": _ACTION,
                "deadLetter": _DEAD_LETTER,
            },
            "messageTraits": {"event": {"headers": _headers(ATTRIBUTES, _MAYBE)}},
            "schemas": {name: _event_schema(kind) for name, kind in events.items()},
        },
    }


def _channel(address: str, description: str, messages: list[str]) -> dict[str, Any]:
    told = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    return {"address": address, "description": description, "messages": told}


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _headers(meanings: Mapping[str, str], maybe: tuple[str, ...] = ()) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in meanings.items()}
    required = [name for name in meanings if name not in maybe]
    return {"type": "object", "properties": properties, "required": required}


def _event_message(name: str, kind: type[Event]) -> dict[str, Any]:
    return {
        "name": name,
        "summary": (kind.__doc__ or "").strip().split("\n")[0],
        "traits": [{"$ref": "#/components/messageTraits/event"}],
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def _event_schema(kind: type[Event]) -> dict[str, Any]:
    """As it is stored: personal texts may be sealed."""
    return kind.model_json_schema(
        mode="serialization", ref_template=f"#/components/schemas/{kind.stored_name}/$defs/{{model}}"
    )


_ACTION: dict[str, Any] = {
    "name": "action",
    "summary": "A CloudEvents 1.0 JSON object; data by type as docs/reference.md says.",
    "payload": {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "actor"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string"},
            "source": {"type": "string"},
            "type": {"enum": sorted(PAYLOADS)},
            "subject": {"type": ["string", "null"]},
            "time": {"type": "string", "format": "date-time"},
            "actor": {"type": "string"},
            "data": {"type": ["object", "null"]},
            "correlationid": {"type": ["string", "null"]},
            "causationid": {"type": ["string", "null"]},
        },
    },
}
_DEAD_LETTER: dict[str, Any] = {
    "name": "deadLetter",
    "summary": "Key, value and headers of the refused record, and headers that say why and from where.",
    "headers": _headers(HEADERS),
    "payload": {},
}


def yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Lines of YAML: blocks for what holds something, JSON for the rest, which is YAML too."""
    pairs = value.items() if isinstance(value, dict) else ((None, each) for each in value)
    for name, held in pairs:
        head = f"{indent}-" if name is None else f"{indent}{_key(name)}:"
        if isinstance(held, dict | list) and held:
            yield head
            yield from yaml(held, indent + "  ")
        else:
            yield f"{head} {json.dumps(held, ensure_ascii=False)}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][\w.-]*", name) else json.dumps(name)


def text() -> str:
    return "\n".join(["# Made by python -m tests.asyncapi.", *yaml(document())]) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text())
