"""Texts that say who somebody is. Stored sealed, with keys that can be destroyed: that is erasure."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import BeforeValidator, PlainSerializer, SerializationInfo, ValidationInfo

from domain.kernel import Event

SEALED = "[sealed]"
"""Read in the place of a text by those who don't open it."""
ERASED = "[erased]"
"""Read in the place of a text whose key was destroyed."""

Turn = Callable[[str], str]
"""A text into its sealed form, or back: the context that events are stored and read with."""


class PersonalDataErased(Event, stored_name="shared.PersonalDataErased"):
    """What this stream says of a person can no longer be read by anybody. `reason` names nobody."""

    reason: str | None = None


def _seal(text: str, info: SerializationInfo) -> str | dict[str, str]:
    seal: Turn | None = info.context
    return text if seal is None else {"sealed": seal(text)}


def _open(stored: Any, info: ValidationInfo) -> Any:
    sealed = stored.get("sealed") if isinstance(stored, dict) else None
    if not isinstance(sealed, str):
        return stored
    open_: Turn | None = info.context
    return SEALED if open_ is None else open_(sealed)


PersonalText = Annotated[str, BeforeValidator(_open), PlainSerializer(_seal, when_used="json")]
"""A name, a phone, an e-mail address, a note in an event. Stored as {"sealed": …} if the context seals."""


@cache
def personal_fields(event: type[Event]) -> frozenset[str]:
    """The fields of the event that hold personal texts."""
    hints = get_type_hints(event, include_extras=True)
    return frozenset(name for name in event.model_fields if _is_personal(hints[name]))


def _is_personal(hint: Any) -> bool:
    return hint == PersonalText or any(_is_personal(part) for part in get_args(hint))
