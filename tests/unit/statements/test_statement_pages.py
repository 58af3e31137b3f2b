"""The page and the PDF: what they say, that nothing in them can do harm, and that all scripts print."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import import_module
from importlib.resources import files
from io import BytesIO

import pytest
from fontTools.ttLib import TTCollection, TTFont
from statement_samples import ARABIC, CHINESE, EMPTY, FROZEN, OWING, REP_7, RUSSIAN, SCRIPT, issued, line

from adapters.statements.html import html_writer
from adapters.statements.pdf import FACES, pdf_writer
from adapters.statements.wording import WHAT, Page, money, page, shown

COVERED = {
    "Latin": "Zoë Çağlar Łukasz Nguyễn ß",
    "Cyrillic": "Ёлкина Ґалаґан Ђорђе",
    "Greek": "Ωνάσης",
    "Arabic": "محمد علي پرویز",
    "Hebrew": "שלום",
    "Thai": "สมชาย",
    "Devanagari": "नमस्ते",
    "Georgian": "ქართული",
    "Chinese": "王小明 續簽 续签",
    "Japanese": "ひらがな カタカナ 株式会社",
    "Korean": "홍길동",
}


class Seen(HTMLParser):
    """Which tags a browser finds, and the text that it shows."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(content.decode())
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())


def pdf(*pages: Page) -> list[bytes]:
    with pdf_writer() as write:
        return [write(one) for one in pages]


def sheets(content: bytes) -> int:
    return len(re.findall(rb"/Type/Page\b", content))


def test_a_page_says_who_for_what_and_how_much() -> None:
    found = Seen(html_writer()(page(REP_7, FROZEN))).text
    for words in (
        "Commission for October 2026 Анна Иванова ( rep-7 )",
        "Total for October 2026 127.50 USD",
        "Earned in October 2026 130.00",
        f"1 Deal won: {RUSSIAN} deal D-1 1,000.00 × 5 %",  # noqa: RUF001 - as it is shown
        "part of the deal: 40 % as closer",
        "payment P-77",
        "on what محمد علي sold",
        "5 Cap no more than 130 USD (standard v1) events 4, 17 -25.00",
        "Corrections of August 2026 -10.00",
        "The basis changed by -200.00, at 5 %",
        "Corrections of September 2026 7.50",
        "such as 2026-10/rep-7/1 .",
        "the events 1 to 4711 of the log",
    ):
        assert words in found, words


def test_the_sections_sums_make_the_total() -> None:
    sections = page(REP_7, FROZEN).sections
    assert [section.subtotal for section in sections] == ["130.00", "-10.00", "7.50"]
    assert page(REP_7, FROZEN).total == "127.50"


def test_a_statement_without_lines_or_below_zero_says_so() -> None:
    write = html_writer()
    assert "Nothing was earned or corrected in this period." in Seen(write(page(EMPTY, FROZEN))).text
    assert "The total is below zero" in Seen(write(page(OWING, FROZEN))).text
    assert "The total is below zero" not in Seen(write(page(REP_7, FROZEN))).text


def test_a_page_runs_nothing_and_fetches_nothing() -> None:
    content = html_writer()(full_of(SCRIPT))
    seen = Seen(content)
    assert seen.tags.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    assert seen.attributes.isdisjoint({"src", "href", "style", "onclick", "onerror"})
    assert not re.search(rb"https?:|url\(|@import", content)
    assert seen.text.count(SCRIPT) >= 3


def full_of(harm: str) -> Page:
    """A statement in which all that can be free text is harmful."""
    one = line(1, deal=harm, role=harm, rule=harm, earning=harm, kind="payment", of="payment")
    return page(issued(harm, one), replace(FROZEN, names={harm: harm}, titles={harm: harm}))


def test_what_is_not_seen_is_made_visible() -> None:
    assert shown("a\u202eb\nc\u2066\x00") == "a�b�c��"
    assert shown("\u0645\u06cc\u200c\u062e") == "\u0645\u06cc\u200c\u062e"  # Persian needs its joiners.


def test_every_kind_of_line_has_words() -> None:
    kinds = {line.of for line in REP_7.lines} | {"draw", "recovery"}
    assert kinds == set(WHAT)
    assert money(REP_7.lines[0].basis * 1000, "JPY") == "1,000,000"


def test_a_pdf_is_the_same_bytes_each_time_and_has_no_date() -> None:
    first, again = pdf(page(REP_7, FROZEN)), pdf(page(REP_7, FROZEN))
    assert first == again
    assert first[0].startswith(b"%PDF-")
    assert b"CreationDate" not in first[0]


def test_markup_in_a_text_is_text_in_a_pdf() -> None:
    harmful = '#panic("read") $x$ *b* @nobody <label> \\ " ' + "x" * 300
    (content,) = pdf(full_of(harmful))
    assert sheets(content) == 1


def test_a_pdf_brings_its_fonts() -> None:
    latin, chinese = pdf(page(EMPTY, replace(FROZEN, names={})), page(REP_7, FROZEN))
    fonts = [set(re.findall(rb"/BaseFont/[A-Z]{6}\+([A-Za-z]+)", one)) for one in (latin, chinese)]
    assert fonts[0] == {b"FiraGO"}
    assert fonts[1] == {b"FiraGO", b"NotoSansCJKsc"}
    assert b"/FontFile" in chinese


def test_a_long_statement_goes_over_pages() -> None:
    many = issued("rep-7", *(line(number) for number in range(1, 501)))
    (content,) = pdf(page(many, FROZEN))
    assert 15 < sheets(content) < 40


def test_a_line_longer_than_a_page_goes_on_over_the_next() -> None:
    short, tall = pdf(*(page(issued("rep-7", line(1, events=range(last))), FROZEN) for last in (9, 9000)))
    assert (sheets(short), sheets(tall) > 5) == (1, True)


@pytest.fixture(scope="module")
def glyphs() -> list[set[int]]:
    """What each face can show, alone or with the font behind it."""
    with TTCollection(str(files("noto_cjk_sans_otc") / "NotoSansCJK-Regular.ttc"), lazy=True) as behind:
        (chinese,) = (
            set(font.getBestCmap()) for font in behind if font["name"].getDebugName(1) == "Noto Sans CJK SC"
        )
    faces = [TTFont(BytesIO(import_module(f"pymupdf_fonts.FiraGO_{face}").fontbuffer)) for face in FACES]
    return [set(face.getBestCmap()) | chinese for face in faces]


@pytest.mark.parametrize("script", COVERED)
def test_the_fonts_have_the_scripts_that_are_promised(script: str, glyphs: list[set[int]]) -> None:
    for face in glyphs:
        assert {ord(letter) for letter in COVERED[script]} <= face


def test_names_of_other_scripts_are_shown_in_the_page() -> None:
    found = Seen(html_writer()(page(REP_7, FROZEN))).text
    assert {ARABIC, CHINESE, RUSSIAN} == {one for one in (ARABIC, CHINESE, RUSSIAN) if one in found}
