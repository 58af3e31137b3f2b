"""What can be wrong with a bundle, beside signatures and proofs."""

from domain.kernel import Rejected


class UnreadableEvent(Rejected):
    """Event {position}, {name}, can't be read: {problem}."""

    code = "unreadable_event"


class WrongEvent(Rejected):
    """Event {position} is {found}, where {expected} is to be shown."""

    code = "wrong_event"


class WrongCutoff(Rejected):
    """The cutoff of {statement} is position {cutoff}, but the checkpoint for it is of {size} events."""

    code = "wrong_cutoff"


class RecordedAfterCutoff(Rejected):
    """Event {position} was recorded after the cutoff at {cutoff}: the statement can't rest on it."""

    code = "recorded_after_cutoff"


class StatementDiffers(Rejected):
    """The statement says {said} for {place}, but as issued at {position} it says {recorded}."""

    code = "statement_differs"


class CloseDiffers(Rejected):
    """The close of {period} at {position} says {recorded} for {place}, the statement {statement} {said}."""

    code = "close_differs"


class EventMissing(Rejected):
    """Line {line} rests on event {position}, which is not in the bundle."""

    code = "event_missing"


class EventSuperfluous(Rejected):
    """Event {position} is in the bundle, but no line rests on it."""

    code = "event_superfluous"


class WrongTotal(Rejected):
    """The lines sum to {sum}, but the total is {total}."""

    code = "wrong_total"


class WrongAmount(Rejected):
    """Line {line} pays {amount}, but {reckoned}."""

    code = "wrong_amount"


class WrongPlan(Rejected):
    """Line {line} is paid by {plan}, but {problem}."""

    code = "wrong_plan"


class LineUnfounded(Rejected):
    """Line {line} is not founded on its events: {problem}."""

    code = "line_unfounded"
