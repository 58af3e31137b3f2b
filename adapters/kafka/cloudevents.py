"""A stored event as a Kafka record, in the binary mode of CloudEvents' Kafka binding, and back."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.postgres.codec import RawRow

Headers = list[tuple[str, bytes]]

ATTRIBUTES: Mapping[str, str] = {
    "ce_specversion": "Always 1.0.",
    "ce_id": "The event's position in the log: 1, 2, 3 … with no gap.",
    "ce_source": "The log's name, the same for all of them (DEALTRAIL_EVENTS_SOURCE).",
    "ce_type": "What happened: the event's stored name.",
    "ce_subject": "The event's stream, such as deal-D-17. It is the record's key too.",
    "ce_time": "When it happened in the business, ISO 8601 in UTC.",
    "content-type": "Always application/json.",
    "ce_sequence": "The position once more, as CloudEvents' extension of that name.",
    "ce_recordedtime": "When it was committed to the log, ISO 8601 in UTC.",
    "ce_actor": "Who did it: a rep's id, or service:NAME, payroll:NAME, admin:NAME.",
    "ce_actionsource": "The source of the action that it came of.",
    "ce_actionid": "That action's id, unique within its source.",
    "ce_streamversion": "Its place in its stream: 1, 2, 3 …",
    "ce_dataversion": "The version of the event's data.",
    "ce_correlationid": "As the action had it; absent if it had none.",
    "ce_causationid": "As the action had it; absent if it had none.",
    "ce_migrated": "true if it was taken over from an older system; else absent.",
}
"""Every header that a record may have, and what it means."""

_SAME = [("ce_specversion", b"1.0"), ("content-type", b"application/json")]


def record(row: RawRow, source: bytes) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of a stored event. `source` is the log's name.

    The value is the stored data as it is, so personal texts stay sealed.
    """
    (
        stream,
        version,
        position,
        name,
        data_version,
        state,
        occurred_at,
        recorded_at,
        actor,
        action_source,
        action_id,
        correlation_id,
        causation_id,
        migrated,
    ) = row
    key, place = stream.encode(), b"%d" % position
    headers = [
        *_SAME,
        ("ce_id", place),
        ("ce_source", source),
        ("ce_type", name.encode()),
        ("ce_subject", key),
        ("ce_time", occurred_at.isoformat().encode()),
        ("ce_sequence", place),
        ("ce_recordedtime", recorded_at.isoformat().encode()),
        ("ce_actor", actor.encode()),
        ("ce_actionsource", action_source.encode()),
        ("ce_actionid", action_id.encode()),
        ("ce_streamversion", b"%d" % version),
        ("ce_dataversion", b"%d" % data_version),
    ]
    if correlation_id is not None:
        headers.append(("ce_correlationid", correlation_id.encode()))
    if causation_id is not None:
        headers.append(("ce_causationid", causation_id.encode()))
    if migrated:
        headers.append(("ce_migrated", b"true"))
    return key, state, headers


def row_of(value: bytes, headers: Sequence[tuple[str, bytes]]) -> RawRow:
    """The stored event that `record` made these of. Raises KeyError, ValueError if it made no such record."""
    said = {name: told.decode() for name, told in headers}
    return (
        said["ce_subject"],
        int(said["ce_streamversion"]),
        int(said["ce_id"]),
        said["ce_type"],
        int(said["ce_dataversion"]),
        value,
        datetime.fromisoformat(said["ce_time"]),
        datetime.fromisoformat(said["ce_recordedtime"]),
        said["ce_actor"],
        said["ce_actionsource"],
        said["ce_actionid"],
        said.get("ce_correlationid"),
        said.get("ce_causationid"),
        said.get("ce_migrated") == "true",
    )
