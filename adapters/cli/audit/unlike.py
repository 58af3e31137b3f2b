"""Where two answers of a report differ, place by place."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Unlike:
    """A place in an answer, as it was kept and as the log gives it now; absent where it isn't there."""

    path: str
    kept: Any
    now: Any


ABSENT = "(absent)"


def unlike(kept: Any, now: Any, path: str = "") -> Iterable[Unlike]:
    """Where two answers differ. A statement's checkpoint may have been made since."""
    if isinstance(kept, dict) and isinstance(now, dict):
        for key in [*kept, *(key for key in now if key not in kept)]:
            if key == "checkpoint" and kept.get(key) is None:
                continue
            yield from unlike(kept.get(key, ABSENT), now.get(key, ABSENT), f"{path}.{key}" if path else key)
    elif isinstance(kept, list) and isinstance(now, list):
        for place in range(max(len(kept), len(now))):
            one, other = (each[place] if place < len(each) else ABSENT for each in (kept, now))
            yield from unlike(one, other, f"{path}[{place}]")
    elif type(kept) is not type(now) or kept != now:
        yield Unlike(path, kept, now)
