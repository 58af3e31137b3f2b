"""The golden catalogue of stored events. Run as a program it writes down what has been added since."""

import json
import sys
from pathlib import Path
from typing import Any

import adapters.postgres.codec  # noqa: F401 - brings every event into the catalogue
from adapters.postgres.upcasting import UPCASTING, Upcasting
from domain.kernel import Event

GOLDEN = Path(__file__).with_name("catalogue.json")
"""{stored name: {version, schema, samples: {old version: its JSON object}}}"""

Entry = dict[str, Any]


def current() -> dict[str, Entry]:
    """Every event as the code has it, by stored name; descriptions, which change freely, are left out."""
    return {
        name: {"version": kind.stored_version, "schema": _bare(kind.model_json_schema())}
        for name, kind in sorted(Event.catalogue.items())
        if kind.__module__.startswith("domain.")
    }


def problems(golden: dict[str, Entry], code: dict[str, Entry], upcasting: Upcasting = UPCASTING) -> list[str]:
    """Why events in the log could no longer be read; an additive change alone gives none."""
    found = []
    for name, old in golden.items():
        new = code.get(name)
        if new is None:
            found.append(f"{name} is gone, but the log has it for ever")
        elif new["version"] == old["version"]:
            if not _additive(old["schema"], new["schema"]):
                found.append(
                    f"{name} changed: raise its version, add an upcaster and a sample of the old one"
                )
        else:
            found += _unbridged(name, old, new["version"], upcasting)
    return found


def _unbridged(name: str, old: Entry, version: int, upcasting: Upcasting) -> list[str]:
    if version < old["version"]:
        return [f"{name} went back from version {old['version']} to {version}"]
    steps = [step for step in range(1, version) if not upcasting.knows(name, step)]
    samples = [step for step in range(1, version) if str(step) not in old.get("samples", {})]
    missing = [f"{name} has no upcaster from version {step}" for step in steps]
    return missing + [f"{name} has no sample of version {step} in {GOLDEN.name}" for step in samples]


def _additive(old: object, new: object) -> bool:
    """Does `new` accept all that `old` did? Only optional fields and further choices may come."""
    if isinstance(old, dict) and isinstance(new, dict):
        if set(new.get("required", [])) - set(old.get("required", [])):
            return False
        kept = set(old) - {"required", "properties", "$defs"}
        if kept != set(new) - {"required", "properties", "$defs"}:
            return False
        inner = all(
            part in new.get(section, {}) and _additive(value, new[section][part])
            for section in ("properties", "$defs")
            for part, value in old.get(section, {}).items()
        )
        return inner and all(_additive(old[key], new[key]) for key in kept)
    if isinstance(old, list) and isinstance(new, list):
        return all(choice in new for choice in old)
    return old == new


def _bare(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _bare(value) for key, value in schema.items() if not _is_description(key, value)}
    return [_bare(value) for value in schema] if isinstance(schema, list) else schema


def _is_description(key: str, value: object) -> bool:
    return key in ("description", "title") and isinstance(value, str)


def main() -> int:
    """Write the golden catalogue anew, keeping samples; 1 if the log could no longer be read."""
    golden: dict[str, Entry] = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    code = current()
    if found := problems(golden, code):
        sys.stderr.write("\n".join(found) + "\n")
        return 1
    for name, entry in code.items():
        entry["samples"] = golden.get(name, {}).get("samples", {})
    GOLDEN.write_text(json.dumps(code, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
