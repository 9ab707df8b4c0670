"""A file as blocks of text, each under its headings and on its page."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from builder.knowledge import html

Kind = Literal["pdf", "docx", "html", "markdown", "text", "csv"]

KIND_LABELS: dict[Kind, str] = {
    "pdf": "PDF",
    "docx": "Word",
    "html": "HTML",
    "markdown": "Markdown",
    "text": "Text",
    "csv": "CSV",
}
SUFFIXES = ".pdf,.docx,.html,.htm,.md,.markdown,.txt,.csv"
"""What the file chooser offers."""

MOST_CHARACTERS = 5_000_000
"""About 800,000 words: what one document may hold."""
MOST_UNPACKED = 200_000_000
"""Bytes that a Word file may unpack to."""
MOST_PAGES = 5_000

MOST_SNIFFED = 5_000
"""Characters of a CSV by which its separator is told; the patterns for that take the cube of it at worst."""

_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_PAGE = re.compile(r"\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)

Progress = Callable[[int, int], None]
"""Told of every page: how many are done, of how many."""


class Unreadable(Exception):
    """The file cannot be read; the text says why, for the person who gave it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list item or a row. `headings` are those above it, outermost first; `page` counts from 1."""

    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None


def sniff(data: bytes, name: str) -> Kind:
    """What kind of file it is, by its contents; its name only tells kinds of text apart. Raises Unreadable."""
    if data.startswith(b"%PDF-") or b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        if _is_word(data):
            return "docx"
        raise Unreadable("This is a packed file, but not a Word document (.docx).")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("This is an old Office file. Save it as .docx or as PDF, and add that.")
    text = decode(data[:65_536])
    suffix = PurePath(name).suffix.lower()
    if _begins_as_html(text) or suffix in (".htm", ".html"):
        return "html"
    if suffix in (".md", ".markdown"):
        return "markdown"
    return "csv" if suffix == ".csv" else "text"


def _begins_as_html(text: str) -> bool:
    """Whatever comments stand before it. One pattern for them all would try every way to part them."""
    start = 0
    while comment := _COMMENT.match(text, start):
        start = comment.end()
    return _PAGE.match(text, start) is not None


def parse(data: bytes, kind: Kind, *, progress: Progress = lambda done, total: None) -> list[Block]:
    """The blocks of a file of this kind, in reading order. Raises Unreadable, also when there is no text in it."""
    readers: dict[Kind, Callable[[], Iterator[Block]]] = {
        "pdf": lambda: _pdf(data, progress),
        "docx": lambda: _docx(data),
        "html": lambda: _html(data),
        "markdown": lambda: markdown(decode(data)),
        "text": lambda: plain(decode(data)),
        "csv": lambda: _csv(decode(data)),
    }
    blocks, characters = [], 0
    for block in readers[kind]():
        characters += len(block.text)
        if characters > MOST_CHARACTERS:
            raise Unreadable(f"It holds more than {MOST_CHARACTERS:,} characters. Split it into several documents.")
        blocks.append(block)
    if not blocks:
        scanned = " It may be a scan: make its text readable (OCR) first." if kind == "pdf" else ""
        raise Unreadable(f"There is no text in it.{scanned}")
    return blocks


def decode(data: bytes) -> str:
    """Text of whatever encoding it is likely to have. Raises Unreadable for what is no text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data[: len(data) // 2 * 2].decode("utf-16", errors="replace")
    if b"\0" in data:
        raise Unreadable("This is not a kind of file that can be read: PDF, Word, HTML, Markdown, text or CSV.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3:  # the beginning of a file, cut within a letter
            return data[: error.start].decode("utf-8-sig")
        return data.decode("cp1252", errors="replace")


# --- kinds


def plain(text: str) -> Iterator[Block]:
    """Paragraphs: what stands between empty lines."""
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        if words := paragraph.strip():
            yield Block(words)


def markdown(text: str) -> Iterator[Block]:
    """Paragraphs under their headings. The marks of lists and emphasis stay: models read them well."""
    headings = Headings()
    lines: list[str] = []
    fenced = False
    for line in [*text.splitlines(), ""]:
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else re.match(r"(#{1,6})\s+(.+)", line)
        if lines and (heading or (not line.strip() and not fenced)):
            yield Block("\n".join(lines), headings.path)
            lines = []
        if heading:
            headings.enter(len(heading[1]), heading[2].rstrip().rstrip("#"))
        elif line.strip():
            lines.append(line.rstrip())
    if lines:
        yield Block("\n".join(lines), headings.path)


class Headings:
    """Where one is, as headings of levels come by."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> None:
        self._open = [entry for entry in self._open if entry[0] < level]
        if words := " ".join(title.split()):
            self._open.append((level, words[:120]))

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._open)


def _pdf(data: bytes, progress: Progress) -> Iterator[Block]:
    from pypdf import PdfReader  # these libraries are needed by the worker alone
    from pypdf.errors import LimitReachedError, PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("It is protected by a password. Add a copy without one.")
        total = len(reader.pages)
        if total > MOST_PAGES:
            raise Unreadable(f"It has {total:,} pages, and {MOST_PAGES:,} are the most that are read.")
        for number, page in enumerate(reader.pages, start=1):
            for block in plain(_unwrapped(page.extract_text())):
                yield Block(block.text, page=number)
            progress(number, total)
    except Unreadable:
        raise
    except LimitReachedError:
        raise Unreadable("It unpacks to more than is read of a PDF. Leave out its pictures, or split it.") from None
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        # Broken PDFs bring down their reader in every way that there is.
        raise Unreadable(f"The PDF is damaged, or made in a way that is not understood: {error}") from error


def _unwrapped(text: str) -> str:
    """A page whose lines were broken to fit it, with words that were parted made whole, and paragraphs told apart."""
    text = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", text)
    # A short line that ends a sentence ends a paragraph.
    lines = text.split("\n")
    longest = max(map(len, lines), default=0)
    return "\n".join(
        f"{line}\n" if line.rstrip().endswith((".", "!", "?", ":")) and len(line) < 0.75 * longest else line
        for line in lines
    )


def _is_word(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return "word/document.xml" in packed.namelist()
    except zipfile.BadZipFile:
        raise Unreadable("The file is damaged: it cannot be unpacked.") from None


def _docx(data: bytes) -> Iterator[Block]:
    from docx import Document
    from docx.table import Table
    from lxml.etree import LxmlError

    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > MOST_UNPACKED:
            raise Unreadable("It unpacks to more than 200 MB. Leave out its pictures, or save it as PDF.")
    headings = Headings()
    try:
        for item in Document(io.BytesIO(data)).iter_inner_content():
            if isinstance(item, Table):
                rows = [[cell.text for cell in row.cells] for row in item.rows]
                yield from (Block(block.text, headings.path) for block in table(rows))
            elif words := item.text.strip():
                style = item.style.name if item.style else ""
                if level := re.fullmatch(r"Heading (\d)", style or ""):
                    headings.enter(int(level[1]), words)
                elif style == "Title":
                    headings.enter(0, words)
                else:
                    yield Block(words, headings.path)
    except (LxmlError, zipfile.BadZipFile, KeyError, ValueError, AttributeError) as error:
        raise Unreadable(f"The Word document is damaged: {error}") from error


def _html(data: bytes) -> Iterator[Block]:
    headings = Headings()
    for level, text in html.read(data).parts:
        if level:
            headings.enter(level, text)
        else:
            yield Block(text, headings.path)


def _csv(text: str) -> Iterator[Block]:
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:MOST_SNIFFED], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        yield from table(list(csv.reader(io.StringIO(text), dialect)))
    except csv.Error as error:
        raise Unreadable(f"The CSV cannot be read: {error}.") from error


def table(rows: list[list[str]]) -> Iterator[Block]:
    """Each row by itself with the names of its columns, so that it says what it means wherever it is found."""
    rows = [[" ".join(cell.split()) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if len(rows) == 1:
        yield Block(", ".join(filter(None, rows[0])))
    for row in rows[1:]:
        pairs = [f"{name}: {cell}" if name else cell for name, cell in zip(rows[0], row, strict=False) if cell]
        if pairs:
            yield Block("; ".join(pairs))
