"""Files of every kind as blocks of text."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.knowledge import html, parsing
from builder.knowledge.parsing import Block, Unreadable, parse, sniff
from tests.builder.knowledge import papers


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (papers.pdf("x"), "paper.txt", "pdf"),
        (papers.word(), "paper.bin", "docx"),
        (papers.PAGE, "page", "html"),
        (b"<p>Hello", "page.htm", "html"),
        (b"# Hello", "note.MD", "markdown"),
        (b"a,b\n1,2", "table.csv", "csv"),
        (b"Hello", "note.txt", "text"),
        (b"Hello", "note", "text"),
        (b"<!-- a > b -->\n<!----> <html>", "note", "html"),
        (b"<!-- <html> -->\nHello", "note", "text"),
        (b"<!---->" * 40 + b"\nHello", "note", "text"),  # a pattern that backtracks never ends
        (b"<!--" * 10_000, "note", "text"),
    ],
)
def test_the_contents_tell_what_a_file_is(data: bytes, name: str, kind: str) -> None:
    assert sniff(data, name) == kind


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a kind of file"),
        (papers.packed(a__b=b"x"), "not a Word document"),
        (b"PK\x03\x04broken", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        sniff(data, "paper.pdf")


def test_a_pdf_keeps_the_numbers_of_its_pages_and_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    blocks = parse(
        papers.pdf("Breakfast is at seven.", "", "Dogs are welcome."),
        "pdf",
        progress=lambda done, total: told.append((done, total)),
    )
    assert blocks == [Block("Breakfast is at seven.", page=1), Block("Dogs are welcome.", page=3)]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_pdf_without_text_is_taken_for_a_scan() -> None:
    with pytest.raises(Unreadable, match="scan"):
        parse(papers.pdf("", ""), "pdf")


def test_a_pdf_that_unpacks_to_too_much_is_not_unpacked() -> None:
    with pytest.raises(Unreadable, match="unpacks to more"):
        parse(papers.pdf_bomb(80_000_000), "pdf")


def test_a_pdf_that_is_damaged_says_so() -> None:
    with pytest.raises(Unreadable, match="damaged"):
        parse(papers.pdf("Hello")[:60], "pdf")


def test_words_that_a_line_break_parted_are_whole_again() -> None:
    assert parsing._unwrapped("a self-contained exam-\nple of it") == "a self-contained example of it"


def test_a_word_document_has_headings_paragraphs_and_rows_that_say_what_they_mean() -> None:
    assert parse(papers.word(), "docx") == [
        Block("It is quiet from ten at night.", ("House rules", "Noise")),
        Block("Room: Attic; Price: 80 pounds", ("House rules", "Noise")),
    ]


def test_a_word_document_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MOST_UNPACKED", 1000)
    with pytest.raises(Unreadable, match="unpacks to more"):
        parse(papers.word(), "docx")


def test_a_word_document_that_is_damaged_says_so() -> None:
    with pytest.raises(Unreadable, match="damaged"):
        parse(papers.packed(word__document_xml=b"<w:document"), "docx")


def test_a_page_is_read_without_what_stands_around_its_text() -> None:
    assert parse(papers.PAGE, "html") == [
        Block("Breakfast is served from seven to ten.", ("Staying with us",)),
        Block("Dogs are welcome.", ("Staying with us", "Dogs")),
        Block("They cost ten pounds.", ("Staying with us", "Dogs")),
    ]


def test_a_page_tells_its_title_and_where_it_leads() -> None:
    page = html.read(papers.PAGE, "https://mill.example/stay/")
    assert page.title == "The Mill Hotel"
    assert page.links == [
        "https://mill.example/",
        "https://mill.example/rooms",
        "https://mill.example/stay/prices.html",
    ]


def test_a_page_without_a_main_part_is_read_whole() -> None:
    assert parse(b"<body><div>One<br>two</div><div>Three</div></body>", "html") == [Block("One\ntwo"), Block("Three")]


def test_the_encoding_of_a_page_is_what_it_says() -> None:
    page = '<meta charset="iso-8859-1"><p>Café'.encode("latin-1")
    assert parse(page, "html") == [Block("Café")]
    assert parse("<p>Café".encode(), "html") == [Block("Café")]
    assert html.read("<p>Café".encode("latin-1"), charset="latin-1").parts == [(0, "Café")]
    assert html.read("<p>Café".encode(), charset="no-such-thing").parts == [(0, "Café")]


@pytest.mark.parametrize("data", [b"", b"<html>", b"<!doctype html>", b"<p>" * 5000])
def test_a_page_of_nothing_has_nothing(data: bytes) -> None:
    assert html.read(data, "https://mill.example/").parts == []


def test_markdown_has_headings_but_not_inside_code() -> None:
    text = b"# Rooms #\nQuiet\nand warm.\n\n## Attic\n```\n# not one\n\nx\n```\n# Food\n\n* Soup"
    assert parse(text, "markdown") == [
        Block("Quiet\nand warm.", ("Rooms",)),
        Block("```\n# not one\nx\n```", ("Rooms", "Attic")),
        Block("* Soup", ("Food",)),
    ]


def test_a_heading_with_a_gap_in_it_is_read_as_any_other() -> None:
    gap = b" " * 100_000  # a pattern that backtracks takes its cube
    assert parse(b"# Rooms" + gap + b"and beds ##" + gap + b"\nQuiet", "markdown") == [
        Block("Quiet", ("Rooms and beds",)),
    ]


def test_text_is_parted_at_its_empty_lines() -> None:
    assert parse(b"One\r\nline.\r\n\r\n \r\nTwo.", "text") == [Block("One\nline."), Block("Two.")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_of_the_usual_encodings_is_read(encoding: str) -> None:
    assert parse("Café: 3 €".encode(encoding), "text") == [Block("Café: 3 €")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_rows_of_a_table_carry_the_names_of_its_columns(separator: str) -> None:
    table = "Dish,Price\nSoup,4\n,\nPie,6\n".replace(",", separator).encode()
    assert parse(table, "csv") == [Block("Dish: Soup; Price: 4"), Block("Dish: Pie; Price: 6")]


def test_a_document_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MOST_CHARACTERS", 10)
    with pytest.raises(Unreadable, match="Split it"):
        parse(b"Eleven letters", "text")


def test_a_document_of_nothing_is_refused() -> None:
    with pytest.raises(Unreadable, match="no text"):
        parse(b" \n\n ", "text")


@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a.csv", "a.md", "a.html", "a"]))
def test_no_file_breaks_the_reader(data: bytes, name: str) -> None:
    with suppress(Unreadable):
        assert parse(data, sniff(data, name))
