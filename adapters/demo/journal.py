"""The actions as they are written down, one after another."""

from typing import Any

from adapters.demo.working_time import WorkingTime


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


class Journal:
    """Collects the actions of one step, until the generator takes them."""

    __slots__ = ("_clock", "_count", "_source", "_written")

    def __init__(self, source: str, clock: WorkingTime) -> None:
        self._source = source
        self._clock = clock
        self._count = 0
        self._written: list[dict[str, Any]] = []

    def write(
        self,
        kind: str,
        subject: str | None,
        actor: str,
        data: dict[str, Any],
        *,
        occurred: int | str,
        recorded: int,
    ) -> None:
        """One action. `occurred` and `recorded` are working seconds, or a moment already written."""
        self._count += 1
        self._written.append(
            {
                "specversion": "1.0",
                "id": f"a-{self._count}",
                "source": self._source,
                "type": kind,
                "subject": subject,
                "time": occurred if isinstance(occurred, str) else self._clock.moment(occurred),
                "recordedtime": self._clock.moment(recorded),
                "actor": actor,
                "data": data,
            }
        )

    def taken(self) -> list[dict[str, Any]]:
        """What was written since it was asked last."""
        taken, self._written = self._written, []
        return taken
