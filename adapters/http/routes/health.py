"""Whether the process lives, and whether it can be sent requests. Nobody has to say who they are."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from adapters.http.asked import as_json
from adapters.http.openapi import found, problems
from adapters.http.problems import Problem
from adapters.http.service import Service

router = APIRouter(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: str


class Ready(Live):
    """Requests will be served; the log has so many events."""

    position: int


@router.get("/live", operation_id="live", responses=found(Live, "It lives.") | problems())
async def get_live() -> Response:
    """Whether the process answers at all."""
    return as_json({"status": "live"})


@router.get(
    "/ready",
    operation_id="ready",
    responses=found(Ready, "It is ready.") | problems(),
)
async def get_ready(request: Request) -> Response:
    """Whether the database can be reached, and the server isn't being stopped."""
    served: Service = request.app.state.service
    if served.closing.done():
        raise Problem("stopping")
    if served.end.away:
        raise Problem("database_unavailable")
    return as_json({"status": "ready", "position": served.end.position})
