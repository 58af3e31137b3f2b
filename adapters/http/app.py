"""The HTTP API over an engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from adapters.http.failures import handle_failures
from adapters.http.openapi import described
from adapters.http.requests import Watched
from adapters.http.routes import actions, audit, events, health, lists, payroll, reports, statements
from adapters.http.service import serving
from adapters.wiring import Engine

DESCRIPTION = """
Actions in, events and reports out. Whatever goes wrong is answered as problem details (RFC 9457) with a
stable code. A report says in Dealtrail-Position what it is true of; a request may ask for a position in
Dealtrail-At-Least.
"""
ROUTERS = tuple(part.router for part in (actions, events, reports, lists, statements, payroll, audit, health))


def create_app(parts: Engine) -> FastAPI:
    """The application; the engine stays the caller's to close."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with serving(parts) as service:
            app.state.service = service
            yield

    app = FastAPI(
        title="Dealtrail",
        version=version("dealtrail"),
        description=DESCRIPTION.strip(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        redirect_slashes=False,
    )
    handle_failures(app)
    for router in ROUTERS:
        app.include_router(router)
    described(app)
    # Around all else: what answers faults of ours stands outside of every middleware that is added.
    app.middleware_stack = Watched(app.build_middleware_stack())
    return app
