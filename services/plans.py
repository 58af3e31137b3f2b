"""Commission plans and whom they bind."""

from services.desk import Desk
from services.payloads import AssignPlan, PublishPlan
from services.ports import PayrollBooks


class Plans:
    """One method per intention."""

    def __init__(self, books: PayrollBooks) -> None:
        self._books = books

    def publish(self, desk: Desk, data: PublishPlan) -> None:
        """A plan, or a new version of it."""
        raise NotImplementedError

    def assign(self, desk: Desk, data: AssignPlan) -> None:
        """A rep earns by the plan's latest version from a day on."""
        raise NotImplementedError
