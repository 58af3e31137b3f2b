"""What goes wrong, as problem details (RFC 9457): the one table from codes to HTTP statuses."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1

ACTION_STATUS: Mapping[str, int] = {
    "malformed": 400,
    "invalid_data": 422,
    "invalid_key": 422,
    "naive_time": 422,
    "future_time": 422,
    "unknown_type": 422,
    "unknown_stage": 422,
    "unknown_loss_reason": 422,
    "shares_not_100": 422,
    "invalid_plan": 422,
    "plan_currency": 422,
    "other_currency": 422,
    "not_migration": 422,
    "not_entitled": 403,
    "unknown_lead": 404,
    "unknown_deal": 404,
    "unknown_rep": 404,
    "unknown_pipeline": 404,
    "unknown_task": 404,
    "unknown_payment": 404,
    "unknown_plan": 404,
    "unknown_statement": 404,
    "unknown_line": 404,
    "action_id_taken": 409,
    "lead_already_claimed": 409,
    "lead_closed": 409,
    "keys_of_two_leads": 409,
    "not_merged": 409,
    "next_steps_neglected": 409,
    "deal_closed": 409,
    "deal_exists": 409,
    "task_closed": 409,
    "payment_exists": 409,
    "other_deal": 409,
    "refund_too_large": 409,
    "payment_too_small": 409,
    "period_closed": 409,
    "period_order": 409,
    "period_not_ended": 409,
    "timezone_changed": 409,
    "no_open_dispute": 409,
    "nothing_recorded": 409,
    "rep_left": 409,
    "rep_employed": 409,
    "recordedtime_order": 409,
}
"""What an action may be refused with."""

STATUS: Mapping[str, int] = {
    **ACTION_STATUS,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "unknown_period": 404,
    "not_sealed": 404,
    "method_not_allowed": 405,
    "period_open": 409,
    "statement_later": 409,
    "too_large": 413,
    "unknown_position": 422,
    "unsupported_media_type": 415,
    "invalid_proof": 500,
    "log_incomplete": 500,
    "internal": 500,
    "busy": 503,
    "database_unavailable": 503,
    "issuer_unavailable": 503,
    "not_yet": 503,
    "projection_stopped": 503,
    "stopping": 503,
}
"""Every code that an answer may have, and its status."""

SENTENCES: Mapping[str, str] = {
    "unauthenticated": "It isn't known who asks.",
    "forbidden": "Whoever asks may not do this.",
    "not_found": "There is nothing here.",
    "method_not_allowed": "This can't be done here.",
    "too_large": "The body or the batch is larger than is allowed.",
    "unsupported_media_type": "The body is of a type that isn't taken, or it is compressed.",
    "unknown_position": "The log doesn't reach so far.",
    "internal": "Something is wrong here, not with the request.",
    "busy": "Too many actions wait already: try again.",
    "database_unavailable": "The database can't be reached: try again. An action may have been recorded; "
    "sent again under its id it counts once.",
    "issuer_unavailable": "The provider of the token can't be reached, so nobody knows whether it is good: "
    "try again.",
    "not_yet": "The tables have not reached the position that was asked for: try again.",
    "projection_stopped": "The tables that were asked for can't be read: their projection stopped.",
    "stopping": "The server is being stopped: try again.",
}
"""What the codes mean that no action is refused with."""


class Problem(Exception):  # noqa: N818 - named for what happened
    """An answer that isn't the one hoped for. `message` is a sentence that a person understands."""

    def __init__(self, code: str, message: str | None = None, /, **details: object) -> None:
        super().__init__(message or SENTENCES[code])
        self.error = {"code": code, "message": message or SENTENCES[code], "details": details}


def answer(error: Mapping[str, Any]) -> JSONResponse:
    """The error object as a problem, with the status of its code."""
    code = error["code"]
    status = STATUS[code]
    headers = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if status == 413:
        headers["Connection"] = "close"  # What is left of the body shall not be sent.
    if code == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    body = {
        "type": f"urn:dealtrail:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error["message"],
        "code": code,
        "details": error["details"],
        "error": error,
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)
