"""A statement as one self-contained HTML file, to read on a screen and to print."""

from collections.abc import Callable
from pathlib import Path

from adapters.statements.wording import Page


def html_writer() -> Callable[[Page], bytes]:
    """Makes pages; every text in them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html")
    return lambda page: template.render(page=page).encode()
