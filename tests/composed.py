"""compose.yaml brought up without containers: its commands, with its environment, as plain processes.

A PostgreSQL and a Kafka that are there already stand in for the two images. What a container has to itself is
mapped: names of hosts, ports and folders.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path(__file__).parents[1] / "compose.yaml"
STAND_INS = ("postgres", "kafka")
_SECONDS_MAX = 60
_OUR_PORTS = re.compile(r"\b(8000|9464)\b")
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class Composed:
    """The services of compose.yaml, started in the order and on the conditions that it names."""

    def __init__(self, folder: Path, *, database_url: str, kafka: str | None, **variables: str) -> None:
        """`kafka` is host:port, or None for services that do without; `variables` are for ${…}."""
        told: Mapping[str, Any] = _interpolated(yaml.safe_load(COMPOSE.read_text()), variables)
        self.services: Mapping[str, Any] = told["services"]
        self._folder = folder
        self._mapped = {"kafka:9092": kafka or "", "/var/lib/dealtrail": str(folder)}
        for name in told["secrets"]:
            (folder / name).write_text(f"{database_url}\n" if name == "database_url" else "secret\n")
            self._mapped[f"/run/secrets/{name}"] = str(folder / name)
        self._ports: dict[tuple[str, str], str] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def up(self, *names: str) -> None:
        """Start these services, and whatever they depend on first, and wait until all are healthy."""
        for name in names:
            self._start(name)
        for name in names:
            self._wait_until_healthy(name)

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """As `docker compose run --rm NAME …`."""
        return subprocess.run(
            [_program("dealtrail"), *words],
            env=self._environment(name) | {"DEALTRAIL_METRICS_PORT": ""},
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS_MAX,
            check=False,
        )

    def address(self, name: str, port: int) -> str:
        """Where a service is asked, as http://…"""
        return f"http://127.0.0.1:{self._port(name, str(port))}"

    def log(self, name: str) -> list[dict[str, Any]]:
        """The lines that are JSON, as all but what is printed for people."""
        lines = (self._folder / f"{name}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def down(self) -> dict[str, int]:
        """SIGTERM to all at once; the exit codes."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        try:
            return {
                name: process.wait(_grace_seconds(self.services[name]))
                for name, process in self._running.items()
            }
        finally:
            self.kill()

    def kill(self) -> None:
        """Whatever still runs."""
        for process in self._running.values():
            process.kill()
            process.wait()
        self._running.clear()

    def _start(self, name: str) -> None:
        if name in STAND_INS or name in self._running:
            return
        service = self.services[name]
        for other, when in service.get("depends_on", {}).items():
            self._start(other)
            if when["condition"] == "service_completed_successfully":
                assert self._running[other].wait(_SECONDS_MAX) == 0, self._said(other)
            elif other not in STAND_INS:
                self._wait_until_healthy(other)
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [_program("dealtrail"), *self._words(name, service["command"])],
                env=self._environment(name),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait_until_healthy(self, name: str) -> None:
        kind, program, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [_program(program), *self._words(name, words)]
        give_up_at = time.monotonic() + _SECONDS_MAX
        while (checked := subprocess.run(command, capture_output=True, check=False)).returncode != 0:
            assert self._running[name].poll() is None, self._said(name)
            assert time.monotonic() < give_up_at, f"{checked.stderr.decode()}{self._said(name)}"
            time.sleep(0.2)

    def _environment(self, name: str) -> dict[str, str]:
        """Only what the file says, and what programs need of any machine."""
        given = self.services[name]["environment"]
        kept = {each: os.environ[each] for each in ("PATH", "LANG", "TMPDIR") if each in os.environ}
        return kept | dict(zip(given, self._words(name, given.values()), strict=True))

    def _words(self, name: str, words: Any) -> list[str]:
        return [self._here(name, word) for word in words]

    def _here(self, name: str, word: str) -> str:
        for there, here in self._mapped.items():
            word = word.replace(there, here)
        word = word.replace("0.0.0.0", "127.0.0.1")
        return _OUR_PORTS.sub(lambda found: self._port(name, found[0]), word)

    def _port(self, name: str, port: str) -> str:
        if (name, port) not in self._ports:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self._ports[name, port] = str(probe.getsockname()[1])
        return self._ports[name, port]

    def _said(self, name: str) -> str:
        return f"{name}: {(self._folder / f'{name}.log').read_text()[-3000:]}"


def _interpolated(told: Any, variables: Mapping[str, str]) -> Any:
    """With the file's own defaults for what isn't given."""
    if isinstance(told, Mapping):
        return {key: _interpolated(value, variables) for key, value in told.items()}
    if isinstance(told, list):
        return [_interpolated(each, variables) for each in told]
    if isinstance(told, str):
        return _VARIABLE.sub(lambda found: variables.get(found[1], found[2] or ""), told)
    return told


def _grace_seconds(service: Mapping[str, Any]) -> float:
    found = re.fullmatch(r"(\d+)s", service["stop_grace_period"])
    assert found is not None
    return float(found[1])


def _program(name: str) -> str:
    """Of this virtual environment."""
    return sys.executable if name == "python" else str(Path(sys.executable).parent / name)
