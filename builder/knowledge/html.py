"""A web page without what is around its text: its title, its headings and paragraphs, and where it links to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from lxml import etree, html

# Not read at all: what is no text, and what stands around the text on every page of a site.
_SKIPPED = frozenset(
    "script style noscript template svg math iframe object canvas audio video picture form button select textarea "
    "nav footer aside dialog head".split()
)
_SKIPPED_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alertdialog"})
_BLOCKS = frozenset(
    "address article blockquote body center dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 h5 h6 header "
    "hr html li main ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_TEXT_OF_LOGIN = 1000
"""Characters: where there is more to read, a field for a password stands beside it."""
_DEEPEST = 200
"""No page nests deeper on purpose."""

Part = tuple[int, str]
"""The level of a heading, or 0 for text, and its words."""


@dataclass(frozen=True, slots=True)
class Page:
    """`links` are whole addresses without fragments, each once."""

    title: str
    parts: list[Part]
    links: list[str]
    wants_no_index: bool = False
    wants_no_follow: bool = False
    is_login: bool = False
    """It has a field for a password, and hardly a text."""


def read(data: bytes, url: str = "", *, charset: str | None = None) -> Page:
    """Read a page. What is not well formed is read as browsers do; what is no page at all gives an empty one."""
    data, encoding = _decoded(data, charset)
    parser = html.HTMLParser(encoding=encoding, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, LookupError, ValueError):
        return Page("", [], [])
    title = " ".join((root.findtext(".//title") or "").split())
    robots = " ".join(
        (tag.get("content") or "").lower()
        for tag in root.iter("meta")
        if (tag.get("name") or "").lower() in ("robots", "callwright")
    )
    base = urljoin(url, next((tag.get("href") or "" for tag in root.iter("base")), ""))
    parts = list(_merged(_walk(_main(root), 0)))
    asks_for_password = any((field.get("type") or "").lower() == "password" for field in root.iter("input"))
    return Page(
        title,
        parts,
        _links(root, base) if url else [],
        wants_no_index="noindex" in robots or "none" in robots.split(),
        wants_no_follow="nofollow" in robots or "none" in robots.split(),
        is_login=asks_for_password and sum(len(text) for _, text in parts) < _TEXT_OF_LOGIN,
    )


def _decoded(data: bytes, charset: str | None) -> tuple[bytes, str | None]:
    """A page as UTF-8: by the `charset` that came with it, or if it is that already; else as the page itself says."""
    for encoding in filter(None, (charset, "utf-8-sig")):
        with suppress(UnicodeDecodeError, LookupError):
            return data.decode(encoding).encode("utf-8", errors="replace"), "utf-8"
    return data, None


def plain_address(url: str) -> str:
    """An address as one that is compared: without its fragment, its host in small letters."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path or "/", parts.query, ""))


def _main(root: Any) -> Any:
    """The part of the page that is its text, where the page says which."""
    for path in (".//main", ".//*[@role='main']"):
        if (found := root.find(path)) is not None and found.text_content().strip():
            return found
    articles = root.findall(".//article")
    if len(articles) == 1 and articles[0].text_content().strip():
        return articles[0]
    return root.find("body") if root.find("body") is not None else root


def _walk(element: Any, depth: int) -> Iterator[Part | None]:
    """Pieces of text as they come; None where a block begins or ends."""
    tag = element.tag if isinstance(element.tag, str) else ""
    if not tag or tag in _SKIPPED or depth > _DEEPEST or _is_hidden(element):
        return
    if level := _HEADINGS.get(tag):
        yield None
        yield level, element.text_content()
        yield None
        return
    if tag == "br":
        yield 0, "\n"
        return
    is_block = tag in _BLOCKS
    if is_block and tag not in ("td", "th"):
        yield None
    yield 0, element.text or ""
    for child in element:
        yield from _walk(child, depth + 1)
        yield 0, child.tail or ""
    if tag in ("td", "th"):
        yield 0, " | "
    elif is_block:
        yield None


def _is_hidden(element: Any) -> bool:
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or element.get("role") in _SKIPPED_ROLES
        or "display:none" in (element.get("style") or "").replace(" ", "")
        # The head of the page, not of an article.
        or (element.tag == "header" and element.getparent() is not None and element.getparent().tag == "body")
    )


def _merged(pieces: Iterator[Part | None]) -> Iterator[Part]:
    """Whole paragraphs and headings, with their white space as a browser shows it."""
    words: list[str] = []
    level = 0
    for piece in pieces:
        if piece is not None:
            level = level or piece[0]
            words.append(piece[1])
            continue
        # A break is one that is written as such; all other white space is one space.
        text = "".join(" ".join(part.split()) if part != "\n" else "\n" for part in _spaced(words))
        if text := text.strip(" |\n"):
            yield level, " ".join(text.split()) if level else text
        words, level = [], 0


def _spaced(words: list[str]) -> Iterator[str]:
    """Pieces between which there is a space get one."""
    run = ""
    for word in words:
        if word == "\n":
            yield run
            yield word
            run = ""
        else:
            run += word
    yield run


def _links(root: Any, base: str) -> list[str]:
    found: dict[str, None] = {}
    for anchor in root.iter("a"):
        if "nofollow" in (anchor.get("rel") or "").lower():
            continue
        try:
            url = urljoin(base, (anchor.get("href") or "").strip())
            if urlsplit(url).scheme in ("http", "https"):
                found[plain_address(url)] = None
        except ValueError:  # an address that is none
            continue
    return list(found)
