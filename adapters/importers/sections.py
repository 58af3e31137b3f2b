"""A section of the mapping, compiled for one file's header: from a row's cells to its actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from json import dumps
from typing import Any
from zoneinfo import ZoneInfo

from adapters.importers.columns import Reading, reading
from adapters.importers.mapping import ActionTemplate, Column, Conditions, Constant, Section
from adapters.importers.moments import constant_time
from adapters.importers.placeholders import Fill, Values, compile_data, compile_text, named
from adapters.importers.refusals import AmbiguousColumn, EmptyValue, MissingColumn, WrongCellCount

_PLAIN = Column()


def columns_of(section: Section) -> dict[str, Column]:
    """Every column, or view of one, that the section names, in a fixed order."""
    names = dict.fromkeys(section.columns)
    for template in (section.key, section.subject, section.actor, section.time):
        names |= dict.fromkeys(named(template))
    for action in section.action:
        for text in (action.subject, action.actor, action.time, action.id, action.recordedtime, action.data):
            names |= dict.fromkeys(named(text))
        names |= dict.fromkeys((*action.when, *action.unless))
    return {name: section.columns.get(name, _PLAIN) for name in names}


class CompiledSection:
    """Actions of a section's rows. Raises MissingColumn or AmbiguousColumn where the header does not fit."""

    def __init__(
        self, section: Section, header: Sequence[str], *, file: str, source: str, timezone: ZoneInfo
    ) -> None:
        zone = ZoneInfo(section.timezone) if section.timezone else timezone
        columns = columns_of(section)
        places = _places(columns, header, file, section.name)
        self._cells = len(header)
        self._readings: list[tuple[int | None, Reading | None]] = [
            (places[name], reading(name, column, zone)) for name, column in columns.items()
        ]
        slots = {name: slot for slot, name in enumerate(columns)}
        self._key = _needed(compile_text(section.key, slots), section.key, "a row", "key")
        self._actions = [
            _CompiledAction(section, action, slots, source=source, timezone=zone) for action in section.action
        ]

    def actions(self, cells: list[str]) -> list[tuple[dict[str, Any], bool]]:
        """The row's actions, each with whether it says `once`. Raises SourceRefusal for a wrong row."""
        if len(cells) != self._cells:
            raise WrongCellCount(found=len(cells), expected=self._cells)
        values: list[str | None] = []
        for place, read in self._readings:
            cell = "" if place is None else cells[place].strip()
            values.append(read(cell) if read else cell or None)
        key = self._key(values)
        return [(action.fill(values, key), action.once) for action in self._actions if action.applies(values)]


def constant_action(constant: Constant, *, source: str, timezone: ZoneInfo) -> dict[str, Any]:
    """The action as it stands; unless named, its id changes with its content."""
    content = dumps([constant.data, constant.actor, str(constant.time)], sort_keys=True)
    name = constant.id or sha256(content.encode()).hexdigest()[:12]
    action = {
        "specversion": "1.0",
        "id": f"first/{constant.subject}/{constant.type}/{name}",
        "source": source,
        "type": constant.type,
        "subject": constant.subject,
        "time": constant_time(constant.time, timezone),
        "actor": constant.actor,
        "data": constant.data,
    }
    if constant.recordedtime is not None:
        action["recordedtime"] = constant_time(constant.recordedtime, timezone)
    return action


def _places(
    columns: dict[str, Column], header: Sequence[str], file: str, section: str
) -> dict[str, int | None]:
    needed = {name: column.origin or name for name, column in columns.items()}
    missing = [
        origin for name, origin in needed.items() if origin not in header and not columns[name].optional
    ]
    if missing:
        raise MissingColumn(
            file=file, section=section, missing=list(dict.fromkeys(missing)), found=list(header)
        )
    twice = [origin for origin in dict.fromkeys(needed.values()) if header.count(origin) > 1]
    if twice:
        raise AmbiguousColumn(file=file, section=section, columns=twice)
    return {name: header.index(origin) if origin in header else None for name, origin in needed.items()}


def _needed(fill: Fill, template: str, action: str, field: str) -> Fill:
    def filled(values: Values) -> str:
        said: str | None = fill(values)
        if said is None:
            raise EmptyValue(action=action, field=field, template=template)
        return said

    return filled if named(template) else fill


def _condition(conditions: Conditions, slots: dict[str, int]) -> list[tuple[int, frozenset[str]]]:
    return [
        (slots[name], frozenset([wanted] if isinstance(wanted, str) else wanted))
        for name, wanted in conditions.items()
    ]


@dataclass(frozen=True, slots=True)
class _Envelope:
    subject: Fill
    time: Fill
    actor: Fill
    recordedtime: Fill | None
    suffix: Fill | None
    data: Fill


class _CompiledAction:
    def __init__(
        self,
        section: Section,
        action: ActionTemplate,
        slots: dict[str, int],
        *,
        source: str,
        timezone: ZoneInfo,
    ) -> None:
        self.once = action.once
        self._type, self._source, self._section = action.type, source, section.name
        self._when = _condition(action.when, slots)
        self._unless = _condition(action.unless, slots)

        def needed(field: str, template: str) -> Fill:
            return _needed(compile_text(template, slots), template, action.type, field)

        def moment_of(field: str, when: str | date | datetime) -> Fill:
            if isinstance(when, str) and named(when):
                return needed(field, when)
            literal = constant_time(when, timezone)
            return lambda values: literal

        subject, time = action.subject or section.subject, action.time or section.time
        actor = action.actor or section.actor
        assert time is not None
        assert actor is not None
        self._fill = _Envelope(
            subject=needed("subject", subject) if subject else _nothing,
            time=moment_of("time", time),
            actor=needed("actor", actor),
            recordedtime=moment_of("recordedtime", action.recordedtime) if action.recordedtime else None,
            suffix=needed("id", action.id) if action.id else None,
            data=compile_data(action.data, slots),
        )

    def applies(self, values: Values) -> bool:
        return all((values[slot] or "") in wanted for slot, wanted in self._when) and not any(
            (values[slot] or "") in unwanted for slot, unwanted in self._unless
        )

    def fill(self, values: Values, key: str) -> dict[str, Any]:
        fill = self._fill
        subject = fill.subject(values)
        name = f"{self._section}/{subject if self.once else key}/{self._type}"
        if fill.suffix is not None:
            name = f"{name}/{fill.suffix(values)}"
        action = {
            "specversion": "1.0",
            "id": name,
            "source": self._source,
            "type": self._type,
            "subject": subject,
            "time": fill.time(values),
            "actor": fill.actor(values),
            "data": fill.data(values),
        }
        if fill.recordedtime is not None:
            action["recordedtime"] = fill.recordedtime(values)
        return action


def _nothing(values: Values) -> None:
    return None
