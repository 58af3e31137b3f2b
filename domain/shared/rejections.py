"""Refusals that every context knows."""

from domain.kernel import Rejected


class InvalidData(Rejected):
    """{field}: {problem}."""

    code = "invalid_data"


class InvalidKey(Rejected):
    """The {kind} {value!r} can't identify a lead: {reason}."""

    code = "invalid_key"


class NotEntitled(Rejected):
    """{actor} may not {action}: {reason}."""

    code = "not_entitled"


class UnknownLead(Rejected):
    """There is no lead {lead}. Register it first (lead.register)."""

    code = "unknown_lead"


class UnknownDeal(Rejected):
    """There is no deal {deal}. Open it first (deal.open)."""

    code = "unknown_deal"


class UnknownRep(Rejected):
    """There is no rep {rep}. Hire them first (rep.hire)."""

    code = "unknown_rep"


class UnknownPipeline(Rejected):
    """There is no pipeline {pipeline}. Define it first (pipeline.define)."""

    code = "unknown_pipeline"


class LeadClosed(Rejected):
    """The lead {lead} has ended: it was {status}. To go on with the customer, register a new one."""

    code = "lead_closed"
