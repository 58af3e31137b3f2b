"""How units become rows of log.event, and rows become recorded events."""

import json
import re
from datetime import UTC, datetime
from typing import Protocol, cast

import domain.activities.events
import domain.deals.events
import domain.finance.events
import domain.leads.events
import domain.payments.events
import domain.payroll.events
import domain.pipelines.events
import domain.shared.personal
import domain.shared.repeated
import domain.team.events  # noqa: F401 - reading the log needs every event in the catalogue
from adapters.postgres.upcasting import UPCASTING, Upcasting
from adapters.postgres.vault import Key, TextSealer
from domain.audit import leaf
from domain.kernel import Event, Recorded
from domain.shared.personal import Turn
from services.ports import Unit

COLUMNS = (
    "originator_id, originator_version, notification_id, topic, event_version, state, occurred_at,"
    " recorded_at, actor, action_source, action_id, correlation_id, causation_id, migrated"
)
"""What `Codec.decode` wants of log.event, in its order, fetched binary."""

RawRow = tuple[
    str, int, int, str, int, bytes, datetime, datetime, str, str, str, str | None, str | None, bool
]

COPIED_COLUMNS = (
    "notification_id, recorded_at, leaf_hash, originator_id, originator_version, topic, event_version, state,"
    " action_seq, occurred_at, actor, action_source, action_id, correlation_id, causation_id, migrated"
)
"""What a line of COPY text carries: first what is known under the lock alone, then what is prepared."""

TEXT_BYTES_MAX = 1000
"""Longest stream, actor, source or action id: index entries of PostgreSQL end at some 2,700 bytes."""

_COPY_ESCAPES = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Unstorable(ValueError):  # noqa: N818 - named for what happened
    """What PostgreSQL cannot keep: text with NUL, too long a name, a time without offset."""


class Prepared:
    """A unit made ready for COPY, all but position and recorded_at, which are known under the lock.

    `tails` has for each event what follows those two: in the line to copy, and in the line to hash.
    `keys` are those that its personal texts were sealed with.
    """

    __slots__ = ("ends", "key", "keys", "tails", "unit", "versions")

    def __init__(self, unit: Unit) -> None:
        """Raises Unstorable; LookupError for an event whose stream is not in `expected`."""
        self.unit = unit
        self.key = (unit.source, unit.action)
        self.ends: dict[str, int] = {}
        self.versions: list[int] = []
        self.tails: list[tuple[bytes, bytes]] = []
        if unit.decided_at.tzinfo is None or unit.occurred_at.tzinfo is None:
            raise Unstorable("a time has no offset")
        common = (
            f"{unit.occurred_at.isoformat()}\t{_text(unit.actor)}\t{_text(unit.source)}\t{_text(unit.action)}"
            f"\t{_optional(unit.correlation_id)}\t{_optional(unit.causation_id)}\t{unit.migrated:d}\n"
        )
        shared = leaf.about_action(
            unit.occurred_at,
            unit.actor,
            unit.source,
            unit.action,
            unit.correlation_id,
            unit.causation_id,
            unit.migrated,
        )
        sealer = TextSealer()
        for sequence, (stream, event) in enumerate(unit.events):
            version = self.ends.get(stream)
            version = (unit.expected[stream] if version is None else version) + 1
            self.ends[stream] = version
            self.versions.append(version)
            name, event_version, state = (
                event.stored_name,
                event.stored_version,
                _state(event, sealer.about(unit.about.get(stream, stream))),
            )
            copied = (
                f"\t{_text(stream)}\t{version}\t{name}\t{event_version}"
                f"\t\\\\x{state.hex()}\t{sequence}\t{common}"
            )
            hashed = leaf.tail(stream, version, name, event_version, sequence, shared, state)
            self.tails.append((copied.encode(), hashed))
        for stream in unit.expected:
            if stream not in self.ends:
                _text(stream)
        self.keys: list[Key] = sealer.keys

    def lines(self, position: int, recorded_at: datetime) -> list[bytes]:
        """Lines of COPIED_COLUMNS for the events from `position` on."""
        stamp = leaf.stamp(recorded_at)
        copied_stamp = stamp.encode()
        lines = []
        for place, (copied, hashed) in enumerate(self.tails, position):
            leaf_hash = leaf.leaf_hash(leaf.line(place, stamp, hashed)).hex()
            lines.append(b"%d\t%b\t\\\\x%b%b" % (place, copied_stamp, leaf_hash.encode(), copied))
        return lines

    def facts(self, position: int, recorded_at: datetime) -> list[Recorded[Event]]:
        """The events as recorded from `position` on."""
        unit = self.unit
        occurred_at = unit.occurred_at.astimezone(UTC)
        return [
            Recorded(
                event,
                stream,
                version,
                place,
                occurred_at,
                recorded_at,
                unit.actor,
                unit.source,
                unit.action,
                unit.correlation_id,
                unit.causation_id,
                unit.migrated,
            )
            for place, ((stream, event), version) in enumerate(
                zip(unit.events, self.versions, strict=True), position
            )
        ]


class Decoder(Protocol):
    def __call__(self, state: bytes, *, context: Turn | None) -> Event: ...


class Codec:
    """Decodes rows, bringing old versions of events up to date."""

    def __init__(self, upcasting: Upcasting = UPCASTING) -> None:
        self._upcasting = upcasting
        self._decoders: dict[tuple[str, int], Decoder] = {}

    def decode(self, row: RawRow, opening: Turn | None = None) -> Recorded[Event]:
        """A row of COLUMNS as a fact; without `opening` personal texts stay sealed.

        Raises LookupError for an event or version that is not known.
        """
        stream, version, position, name, event_version, state, occurred_at, recorded_at, *_ = row
        decoder = self._decoders.get((name, event_version))
        if decoder is None:
            decoder = self._decoders[name, event_version] = self._decoder(name, event_version)
        return Recorded(
            decoder(state, context=opening), stream, version, position, occurred_at, recorded_at, *row[8:]
        )

    def _decoder(self, name: str, version: int) -> Decoder:
        kind = Event.catalogue.get(name)
        if kind is None:
            raise LookupError(f"no event is stored as {name}")
        validate = cast(Decoder, kind.__pydantic_validator__.validate_json)
        if version == kind.stored_version:
            return validate

        def upcast(state: bytes, *, context: Turn | None) -> Event:
            data = self._upcasting.upcast(name, version, json.loads(state), to=kind.stored_version)
            return validate(json.dumps(data).encode(), context=context)

        return upcast


def has_nul(state: bytes) -> bool:
    """Whether a text in the JSON has a NUL character, which no column takes."""
    return b"\\u0000" in state and _NUL_IN_JSON.search(state) is not None


def _state(event: Event, seal: Turn) -> bytes:
    state = event.__pydantic_serializer__.to_json(event, context=seal)
    if has_nul(state):
        raise Unstorable(f"a text in {event.stored_name} has a NUL character")
    return state


def _text(text: str) -> str:
    if len(text) * 4 > TEXT_BYTES_MAX and len(text.encode()) > TEXT_BYTES_MAX:
        raise Unstorable(f"{text[:40]}… is longer than {TEXT_BYTES_MAX} bytes")
    if text.isprintable() and "\\" not in text:
        return text
    if "\0" in text:
        raise Unstorable(f"{text!r} has a NUL character")
    return text.translate(_COPY_ESCAPES)


def _optional(text: str | None) -> str:
    return "\\N" if text is None else _text(text)
