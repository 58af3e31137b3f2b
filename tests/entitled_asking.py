"""Whoever asks the API about that company, and what they must not find in what they are told."""

import re
from collections.abc import Sequence
from typing import Any

import httpx
from entitled_company import Question
from http_serving import Api
from payday import Payday

from adapters.access.entitlements import Role
from domain.payroll.events import StatementIssued

REPS: dict[Role, str] = {"rep": "ann", "head": "head"}


class Asker:
    """Somebody of a role, who asks."""

    def __init__(self, api: Api, company: Payday, role: Role, rep: str | None = None) -> None:
        self.role, self.rep = role, rep or REPS.get(role)
        self._client = api.client
        self.headers = {"Authorization": f"Bearer {api.key(role, self.rep)}"}
        facts = company.facts()
        issued = {fact.event.rep: fact.position for fact in facts if isinstance(fact.event, StatementIssued)}
        first, *_, last = [one.size for one in api.parts.checkpoints.all()]
        self._places = {"issued": issued["zed"], "first": first, "size": last}

    def ask(self, question: Question) -> httpx.Response:
        path = question.path.format(**self._places)
        if question.sent is None:
            return self._client.get(path, headers=self.headers)
        return self._client.post(path, headers=self.headers, json=question.sent)

    def act(self, *actions: dict[str, Any]) -> list[dict[str, Any]]:
        told = self._client.post("/actions/batch", headers=self.headers, json=actions)
        assert told.status_code == 200, told.text
        results: list[dict[str, Any]] = told.json()["results"]
        return results


def leaked(text: str, secrets: Sequence[str]) -> list[str]:
    """Those that are in the text, figures also as 1,234; not where they are among the digits of another."""
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return [
        secret
        for secret in secrets
        if any(re.search(rf"(?<![\d.]){re.escape(secret)}0*(?!\d)", one) for one in (text, plain))
    ]
