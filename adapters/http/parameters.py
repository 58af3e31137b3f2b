"""What an address asks with: only parameters that the route knows, each once."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant

from adapters.http.problems import Problem


def must_know_parameters(request: Request) -> None:
    """Raises Problem: an as_of that is let by in silence would be answered with figures of today."""
    if not request.url.query:
        return
    known = {*_named(request.scope["route"].dependant)}
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            told = f"It may be asked with {', '.join(sorted(known)) or 'nothing'}."
            raise Problem(
                "invalid_data", f"{name}: no such parameter. {told}", field=name, known=sorted(known)
            )
        if name in seen:
            raise Problem("invalid_data", f"{name}: given more than once.", field=name, problem="repeated")
        seen.add(name)


def _named(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for each in dependant.dependencies:
        yield from _named(each)
