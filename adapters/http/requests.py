"""Every request, watched: its id in the log's lines and the answer, its time in metrics and traces."""

import re
from random import getrandbits

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.asked import POSITION
from adapters.logging import bound
from adapters.observing.work import Work

REQUEST_ID = "X-Request-ID"
TOLD = "dealtrail.told"
"""Where in a request's scope a route leaves facts for its line."""
_POSITION = POSITION.lower().encode()
_NAMED = re.compile(rb"[A-Za-z0-9._:-]{1,100}").fullmatch


class Watched:
    """ASGI middleware. A request's id is the sender's, if it is plain, else a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        named = headers.get(REQUEST_ID.lower().encode(), b"")
        request = named.decode() if _NAMED(named) else f"{getrandbits(128):032x}"
        parent = headers.get(b"traceparent")
        facts = {"method": scope["method"]} | ({"traceparent": parent.decode("latin-1")} if parent else {})
        with bound(request=request), Work("request", **facts) as work:

            async def answered(message: Message) -> None:
                if message["type"] == "http.response.start":
                    work.facts["status"] = message["status"]
                    position = dict(message["headers"]).get(_POSITION)
                    work.facts["position"] = None if position is None else int(position)
                    message["headers"] = [*message["headers"], (REQUEST_ID.encode(), request.encode())]
                await send(message)

            try:
                await self._app(scope, receive, answered)
            finally:
                work.facts["route"] = getattr(scope.get("route"), "path", "")
                work.facts |= scope.get(TOLD, {})
