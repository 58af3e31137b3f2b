"""What OpenAPI says is so: requests of every kind, good and bad, get the answers that it names; no 5xx."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_serving import Api, serving

from adapters.demo.generator import generate
from adapters.demo.recording import record
from adapters.http.problems import STATUS
from benchmarks.ground import END

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
# What a report can't find is no fault of the request, so positive data may be refused.
NOT_SO = "positive_data_acceptance"
SECONDS = 12


@pytest.fixture(scope="module")
def api(module_database_url: str) -> Iterator[Api]:
    with serving(module_database_url, project=True) as one:
        record(generate(7, 40, END), one.parts.intake())
        one.projected()
        yield one


def test_no_request_is_answered_otherwise_than_is_said(api: Api, tmp_path: Path) -> None:
    options = f"--checks all --exclude-checks {NOT_SO} --phases coverage,fuzzing -n 3 --max-time {SECONDS}"
    key = api.client.headers["Authorization"]
    done = subprocess.run(
        [SCHEMATHESIS, "run", f"{api.url}/openapi.json", "-H", f"Authorization: {key}", *options.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    tried = re.search(r"(\d+) generated", done.stdout)
    assert tried is not None
    assert int(tried[1]) > 100


def test_every_route_names_its_errors(api: Api) -> None:
    document: dict[str, Any] = api.get("/openapi.json").json()
    named: set[str] = set()
    for path, routes in document["paths"].items():
        for route in routes.values():
            assert route["summary"], path
            for status, answer in route["responses"].items():
                if status == "200":
                    continue
                (schema,) = (one["schema"] for one in answer["content"].values())
                codes = schema["properties"]["code"]["enum"]
                assert {STATUS[code] for code in codes} == {int(status)}
                named |= {*codes}
    assert set(STATUS) - named == {"not_found", "method_not_allowed"}
    assert "ProblemDetails" in document["components"]["schemas"]
