"""XES (IEEE 1849): one trace per deal, from the OCEL database."""

import re
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TextIO
from xml.sax.saxutils import quoteattr

from adapters.export.ocel_reading import Attribute, Ocel
from domain.shared.actors import Actor

EXTENSIONS = (("Concept", "concept"), ("Lifecycle", "lifecycle"), ("Organizational", "org"), ("Time", "time"))

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="2.0" xes.features="" xmlns="http://www.xes-standard.org/">
{extensions}\t<global scope="trace">
\t\t<string key="concept:name" value=""/>
\t</global>
\t<global scope="event">
\t\t<string key="concept:name" value=""/>
\t\t<date key="time:timestamp" value="1970-01-01T00:00:00.000000Z"/>
\t\t<string key="org:resource" value=""/>
\t\t<string key="lifecycle:transition" value="complete"/>
\t</global>
\t<classifier name="Activity" scope="event" keys="concept:name"/>
\t<string key="concept:name" value="deals"/>
\t<string key="lifecycle:model" value="standard"/>
"""
_ELEMENTS = {"string": "string", "time": "date", "integer": "int", "boolean": "boolean"}
_LEFT_OUT = frozenset({"actor", "stream", "version"})
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_xes(ocel: Ocel, path: Path) -> None:
    """The deals in the order of opening, each with what happened to it by occurred_at. Raises OSError.

    A deal's events are those of its own stream, the steps and contacts that name it, and its payments; what
    is written to its lead's stream at the same time says nothing new of it.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_HEAD.format(extensions="".join(map(_extension, *zip(*EXTENSIONS, strict=True)))))
        for deal, rows in groupby(ocel.histories("deal"), itemgetter(0)):
            _write_trace(file, ocel, deal, ((name, kind) for _, name, kind in rows))
        file.write("</log>\n")


def _write_trace(file: TextIO, ocel: Ocel, deal: str, named: Iterable[tuple[str, str]]) -> None:
    file.write("\t<trace>\n")
    file.write(_attribute("\t\t", "string", "concept:name", deal.removeprefix("deal-")))
    lasting = next(ocel.object(deal, "deal"))[1]
    leads = [
        Attribute("lead", "string", one) for one, what in ocel.relations("object", deal) if what == "lead"
    ]
    for one in (*leads, *lasting):
        file.write(_attribute("\t\t", one.kind, one.name, one.text))
    events = [(name, kind, *ocel.event(name, kind)) for name, kind in named if kind.split(".")[0] != "leads"]
    for name, kind, time, attributes in sorted(events, key=itemgetter(2)):
        _write_event(file, name, kind, time, attributes)
    file.write("\t</trace>\n")


def _write_event(file: TextIO, name: str, kind: str, time: str, attributes: Iterable[Attribute]) -> None:
    known = {one.name: one for one in attributes}
    actor = str(known["actor"].value)
    indent = "\t\t\t"
    file.write("\t\t<event>\n")
    file.write(_attribute(indent, "string", "concept:name", kind))
    file.write(_attribute(indent, "time", "time:timestamp", time))
    file.write(_attribute(indent, "string", "org:resource", actor))
    file.write(_attribute(indent, "string", "org:role", Actor.of(actor).role))
    file.write(_attribute(indent, "string", "lifecycle:transition", "complete"))
    file.write(_attribute(indent, "integer", "position", name))
    for one in attributes:
        if one.name not in _LEFT_OUT:
            file.write(_attribute(indent, one.kind, one.name, one.text))
    file.write("\t\t</event>\n")


def _attribute(indent: str, kind: str, key: str, value: str) -> str:
    return f'{indent}<{_ELEMENTS[kind]} key="{key}" value={_quoted(value)}/>\n'


def _quoted(text: str) -> str:
    """As an attribute value, line ends and tabs kept. Characters that XML can't hold become U+FFFD."""
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def _extension(name: str, prefix: str) -> str:
    uri = f"http://www.xes-standard.org/{prefix}.xesext"
    return f'\t<extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n'
