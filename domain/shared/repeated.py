"""An accepted action that changed nothing is kept too, so that sending it twice has one effect."""

from domain.kernel import Event


class NothingChanged(Event, stored_name="shared.NothingChanged"):
    """The action asked for what already was; `action` is its type."""

    action: str
