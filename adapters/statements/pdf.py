"""A statement as PDF, set by Typst with fonts that come in wheels: the same bytes on any machine."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.statements.wording import Page

FACES = ("Regular", "Bold")


@contextmanager
def pdf_writer() -> Iterator[Callable[[Page], bytes]]:
    """Makes PDFs. Fonts of the system are left out of account; a character in no font is shown as a box."""
    from typst import Compiler, Fonts

    with TemporaryDirectory() as folder, as_file(files("noto_cjk_sans_otc")) as east_asian:
        for face in FACES:
            font = import_module(f"pymupdf_fonts.FiraGO_{face}").fontbuffer
            (Path(folder) / f"FiraGO-{face}.ttf").write_bytes(font)
        fonts = Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[folder, str(east_asian)],
        )
        template = Path(__file__).parent / "page.typ"
        compiler = Compiler(str(template), root=str(template.parent), font_paths=fonts)

        def write(page: Page) -> bytes:
            made = compiler.compile(format="pdf", sys_inputs={"page": json.dumps(asdict(page))})
            if not isinstance(made, bytes):
                raise TypeError("Typst gave no single document")
            return made

        yield write
