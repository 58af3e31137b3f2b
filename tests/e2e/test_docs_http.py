"""What the page of the HTTP API shows is what its commands print, and its table has every route."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_serving import Api, serving

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
BLOCK = re.compile(r"^```sh curl\n(.*?)^```\n(?:\n```json\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with serving(database_url, project=True) as one:
        yield one


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_commands_print_what_the_page_shows(api: Api) -> None:
    blocks = BLOCK.findall(PAGE)
    assert len(blocks) == 6
    key = api.client.headers["Authorization"].removeprefix("Bearer ")
    printed = []
    for command, shown in blocks:
        done = subprocess.run(
            ["bash", "-c", command.replace("http://127.0.0.1:8000", api.url)],
            env={**os.environ, "KEY": key},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        if shown:
            assert json.loads(done.stdout) == json.loads(shown)
        printed.append(done.stdout)
    owner, event, stream = printed[3:]
    assert owner.startswith('{"as_of": "')
    assert event.startswith('[{"specversion":"1.0","id":"1"')
    assert stream.startswith("retry: 1000\n\nid: 4\nevent: leads.KeyBound")


def test_every_route_is_in_the_table(api: Api) -> None:
    table = PAGE.split("| route | what |")[1].split("\n\n")[0]
    named = {one.split("?")[0] for one in re.findall(r"`(?:GET |POST )?(/[^`]+)`", table)}
    assert named == set(api.get("/openapi.json").json()["paths"])
