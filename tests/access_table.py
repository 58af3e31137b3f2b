"""The tables of docs/access.md, made from the code. Run as a program it writes them down."""

import re
import sys
from pathlib import Path

from adapters.access.entitlements import ACTORS, OPERATIONS, ROLES

ACCESS = Path(__file__).parents[1] / "docs" / "access.md"


def tables() -> dict[str, str]:
    """By the names that the document has them under."""
    head = f"| operation | about | {' | '.join(ROLES)} |\n|---|---|{'---|' * len(ROLES)}"
    rows = (
        f"| `{name}` | {one.about} | {' | '.join(one.scopes[role].value for role in ROLES)} |"
        for name, one in OPERATIONS.items()
    )
    actors = (f"| {role} | {whom} |" for role, whom in ACTORS.items())
    return {
        "operations": "\n".join([head, *rows]),
        "actors": "\n".join(["| role | may name as the actor |\n|---|---|", *actors]),
    }


def written(document: str) -> str:
    """The document with the tables as they are now."""
    for name, table in tables().items():
        document = re.sub(
            rf"(<!-- {name} -->\n).*?(\n<!-- end -->)",
            lambda found, table=table: f"{found[1]}{table}{found[2]}",
            document,
            flags=re.DOTALL,
        )
    return document


if __name__ == "__main__":
    ACCESS.write_text(written(ACCESS.read_text()))
    sys.exit(0)
