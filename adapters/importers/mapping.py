"""The mapping language: how columns of CSV files become actions. TOML, checked before anything runs."""

import codecs
import tomllib
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.importers.moments import constant_time, moment
from adapters.importers.placeholders import named, placeholders
from adapters.importers.refusals import InvalidMapping, NoFile

Conditions = dict[str, str | list[str]]


def _template(text: str) -> str:
    placeholders(text)
    return text


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is no IANA time zone, such as Europe/Berlin") from error
    return name


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise ValueError(f"'{name}' is no encoding, such as utf-8 or cp1252") from error
    return name


def _templates(data: Any) -> Any:
    named(data)
    return data


def _when(when: str | date | datetime) -> str | date | datetime:
    if not named(when):
        constant_time(when, ZoneInfo("UTC"))
    return when


def _json(data: Any) -> Any:
    """TOML's dates as ISO text; a moment needs its offset."""
    if isinstance(data, datetime) and data.tzinfo is None:
        raise ValueError(f"{data} in data has no offset, such as +02:00 or Z")
    if isinstance(data, (date, time)):
        return data.isoformat()
    if isinstance(data, dict):
        return {key: _json(value) for key, value in data.items()}
    return [_json(each) for each in data] if isinstance(data, list) else data


Template = Annotated[str, Field(min_length=1), AfterValidator(_template)]
Timezone = Annotated[str, AfterValidator(_timezone)]
When = Annotated[str | date | datetime, AfterValidator(_when)]
Data = Annotated[dict[str, Any], AfterValidator(_json)]
DataTemplate = Annotated[Data, AfterValidator(_templates)]
Character = Annotated[str, Field(min_length=1, max_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Column(_Strict):
    """How a column's cells are read. `origin` names the file's column if this is a further view of it."""

    type: Literal["text", "time", "day", "amount"] = "text"
    origin: str | None = Field(default=None, alias="from")
    optional: bool = False
    default: str | None = None
    aliases: dict[str, str] = {}
    values: list[str] = []
    format: str | list[str] = "iso"
    timezone: Timezone | None = None
    decimal: Character = "."
    thousands: Character | Literal[""] = ""

    @property
    def formats(self) -> list[str]:
        return [self.format] if isinstance(self.format, str) else self.format

    @property
    def zone(self) -> ZoneInfo | None:
        return ZoneInfo(self.timezone) if self.timezone else None

    @model_validator(mode="after")
    def _options_fit_the_type(self) -> "Column":
        dated, given = self.type in ("time", "day"), self.model_fields_set
        for option, fits in (("format", dated), ("timezone", dated)):
            if option in given and not fits:
                raise ValueError(f"'{option}' is for columns of type time or day, this one is {self.type}")
        for option in ("decimal", "thousands"):
            if option in given and self.type != "amount":
                raise ValueError(f"'{option}' is for columns of type amount, this one is {self.type}")
        if self.type == "amount" and self.decimal == self.thousands:
            raise ValueError("'decimal' and 'thousands' are the same sign")
        if dated and self.default and moment(self.default, self.formats, ZoneInfo("UTC")) is None:
            raise ValueError(f"'default' {self.default} is not of the column's own format {self.format}")
        return self


class Constant(_Strict):
    """An action that is sent before the files are read, as it stands."""

    type: str
    subject: str
    time: When
    actor: str
    id: str | None = None
    recordedtime: When | None = None
    data: Data = {}


class ActionTemplate(_Strict):
    """An action for each row that meets the conditions: all of `when`, none of `unless`."""

    type: str
    subject: Template | None = None
    time: When | None = None
    actor: Template | None = None
    id: Template | None = None
    once: bool = False
    recordedtime: When | None = None
    when: Conditions = {}
    unless: Conditions = {}
    data: DataTemplate = {}


class Section(_Strict):
    """What is read from the files whose names fit `files`."""

    name: str = Field(min_length=1)
    files: str | list[str]
    key: Template
    subject: Template | None = None
    actor: Template | None = None
    time: When | None = None
    delimiter: Character = ","
    quote: Character | Literal[""] = '"'
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    timezone: Timezone | None = None
    columns: dict[str, Column] = {}
    action: list[ActionTemplate] = Field(min_length=1)

    @property
    def patterns(self) -> list[str]:
        return [self.files] if isinstance(self.files, str) else self.files

    @model_validator(mode="after")
    def _actions_are_whole_and_distinct(self) -> "Section":
        seen: set[tuple[str, str | None]] = set()
        for number, action in enumerate(self.action, start=1):
            for field in ("time", "actor"):
                if getattr(action, field) is None and getattr(self, field) is None:
                    raise ValueError(f"action {number} ({action.type}): has no {field}, nor has the section")
            identity = (action.type, action.id)
            self._check_times(number, action)
            if action.once and action.subject is None and self.subject is None:
                raise ValueError(f"action {number} ({action.type}): once = true needs a subject")
            if identity in seen:
                raise ValueError(f"action {number}: a second {action.type} needs an 'id' of its own")
            seen.add(identity)
        return self

    def _check_times(self, number: int, action: ActionTemplate) -> None:
        for field, when in (("time", action.time or self.time), ("recordedtime", action.recordedtime)):
            if not isinstance(when, str) or not (names := named(when)):
                continue
            column = self.columns.get(names[0])
            if len(names) > 1 or when != f"{{{names[0]}}}" or column is None or column.type != "time":
                raise ValueError(
                    f"action {number} ({action.type}): {field} = '{when}' is neither a constant "
                    "nor one column of type time"
                )


class Mapping(_Strict):
    """A whole mapping file. `source` is the CloudEvents source of every action."""

    source: str = Field(min_length=1)
    timezone: Timezone | None = None
    first: list[Constant] = []
    section: list[Section] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_distinct(self) -> "Mapping":
        names = [section.name for section in self.section]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sections are named '{name}'; ids of actions begin with the name")
        return self

    def without_recorded_times(self) -> "Mapping":
        """The same for an import that is no migration, which may not say when things were recorded."""
        now: dict[str, Any] = {"recordedtime": None}
        sections = [
            section.model_copy(
                update={"action": [action.model_copy(update=now) for action in section.action]}
            )
            for section in self.section
        ]
        first = [constant.model_copy(update=now) for constant in self.first]
        return self.model_copy(update={"section": sections, "first": first})


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping. Raises InvalidMapping, naming file, section and key, or NoFile."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoFile(file=str(path), reason=error.strerror) from error
    except ValueError as error:
        raise InvalidMapping(mapping=path.name, errors=[f"not TOML: {error}"]) from error
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        told = [_told(each["loc"], each["msg"], content) for each in error.errors()]
        raise InvalidMapping(mapping=path.name, errors=told) from error


def _told(where: tuple[int | str, ...], message: str, content: dict[str, Any]) -> str:
    """`section 'deals', action 2 (deal.win), key 'whn': unknown key`."""
    words: list[str] = []
    node: Any = content
    for step in where:
        child = _child(node, step)
        if isinstance(step, int):
            title = child.get("name") or child.get("type") if isinstance(child, dict) else None
            words[-1] = f"{words[-1]} '{title}'" if title else f"{words[-1]} {step + 1}"
        elif child is not None or isinstance(node, dict):
            words.append(str(step))
        node = child
    said = {"Extra inputs are not permitted": "unknown key", "Field required": "is missing"}
    text = said.get(message, message.removeprefix("Value error, "))
    return f"{' → '.join(words)}: {text}" if words else text


def _child(node: Any, step: int | str) -> Any:
    try:
        return node[step]
    except (KeyError, IndexError, TypeError):
        return None
