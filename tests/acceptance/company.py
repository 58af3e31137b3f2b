"""A company seen from outside: actions go in by `dealtrail import`, answers come out of `--json`."""

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from adapters.cli.main import cli

Action = dict[str, Any]
LONG_AGO = "2026-01-02T09:00:00+00:00"
"""When all that doesn't say otherwise happened."""

_ids = count(1)


def action(kind: str, subject: str | None, data: object = None, actor: str = "ann", **said: object) -> Action:
    """An action as a service would send it; `said` adds to its attributes or replaces them."""
    whole: Action = {
        "specversion": "1.0",
        "id": f"a-{next(_ids)}",
        "source": "acceptance",
        "type": kind,
        "subject": subject,
        "time": LONG_AGO,
        "actor": actor,
    }
    return whole | ({} if data is None else {"data": data}) | said


def register(lead: str, number: int, actor: str = "ann", /, **said: Any) -> Action:
    """A registration whose only key is a phone made of `number`; `data` adds to its data."""
    return action(
        "lead.register",
        lead,
        {"keys": {"phone": f"+7916{number:07d}"}, **said.pop("data", {})},
        actor,
        **said,
    )


def contact(lead: str, actor: str = "ann", /, **said: Any) -> Action:
    return action(
        "contact.record", lead, {"kind": "call", "direction": "out", "outcome": "talked"}, actor, **said
    )


def founding(**said: Any) -> list[Action]:
    """Ann and Bob below Head, Head below Boss, Cid beside them; pipelines `sales`, and `short` of 10 days."""
    stages = [{"name": name, "probability": "50", "days": 7} for name in ("Call", "Offer", "Contract")]
    reps = {"boss": None, "head": "boss", "ann": "head", "bob": "head", "cid": None}
    return [
        action(
            "pipeline.define", "sales", {"stages": stages, "loss_reasons": ["price"]}, "admin:eve", **said
        ),
        action("pipeline.define", "short", {"stages": stages, "protection_days": 10}, "admin:eve", **said),
        *(
            action("rep.hire", rep, {"name": rep.title(), "manager": manager}, "admin:eve", **said)
            for rep, manager in reps.items()
        ),
    ]


class Company:
    """One company in a database of its own; files are written to `folder`."""

    def __init__(self, url: str, folder: Path) -> None:
        self.environment = {"DATABASE_URL": url, "DEALTRAIL_TIMEZONE": "UTC"}
        self.folder = folder
        self.rejects = folder / "rejects.ndjson"
        self.summary: dict[str, Any] = {}

    def run(self, *words: object, given: bytes | None = None) -> Result:
        return CliRunner().invoke(cli, [str(word) for word in words], input=given, env=self.environment)

    def send(self, *lines: Action | bytes, flags: Sequence[str] = ()) -> list[dict[str, Any] | None]:
        """The error of each line, None where it was accepted."""
        file = self.folder / "actions.ndjson"
        file.write_bytes(b"".join(as_line(line) for line in lines))
        done = self.run("import", file, "--json", "--rejects", self.rejects, *flags)
        assert done.exit_code in (0, 1), done.output
        self.summary = json.loads(done.stdout)
        errors = {one["line"]: one["error"] for one in self.rejected()}
        assert done.exit_code == bool(errors)
        return [errors.get(number) for number, _ in enumerate(lines, 1)]

    def rejected(self) -> list[dict[str, Any]]:
        if not self.rejects.exists():
            return []
        return [json.loads(line) for line in self.rejects.read_text("utf-8").splitlines()]

    def accept(self, *lines: Action, flags: Sequence[str] = ()) -> None:
        refused = [error for error in self.send(*lines, flags=flags) if error is not None]
        assert not refused, refused

    def refuse(self, line: Action | bytes) -> dict[str, Any]:
        """The error of the only line."""
        (error,) = self.send(line)
        assert error is not None, f"accepted: {line!r}"
        return error

    def codes(self, *lines: Action, flags: Sequence[str] = ()) -> list[str | None]:
        """The code of each line's error, None where it was accepted."""
        return [None if error is None else str(error["code"]) for error in self.send(*lines, flags=flags)]

    def ask(self, *words: str) -> dict[str, Any]:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def owner(self, lead: str, *words: str) -> str | None:
        owner: str | None = self.ask("owner", lead, *words)["owner"]
        return owner

    def hands(self, lead: str) -> list[tuple[str | None, str]]:
        """Whose the lead was in turn, and by which event."""
        return [(one["owner"], one["event"].split(".")[1]) for one in self.ask("owner", lead)["history"]]


def as_line(line: Action | bytes) -> bytes:
    return (line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode()) + b"\n"
