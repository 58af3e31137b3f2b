"""What a worker tells of what stands in its way: once, and when it is over."""


class Outage:
    """What stands in the way: each reason is told once, whatever comes between, until it is over."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def is_news(self, why: str) -> bool:
        """Whether that reason is still to be told."""
        known = why in self._told
        self._told.add(why)
        return not known

    def ends(self) -> bool:
        """Whether it is to be told that it is over."""
        told = bool(self._told)
        self._told.clear()
        return told
