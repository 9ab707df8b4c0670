"""Reading pages of the web: one, those that it links to, or those of a sitemap; always of one host, and politely."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import httpx
from lxml import etree

from builder.knowledge import html
from core import http

AGENT = "Callwright"
MOST_PAGES = 500
"""What one website may be set to."""
MOST_DEPTH = 5
MOST_BYTES = 20_000_000
"""Of one page."""
MOST_SITEMAPS = 20
MOST_REDIRECTS = 5
TOTAL_SECONDS = 900.0
"""For a whole visit; what is not read by then is left out."""
PAUSE_SECONDS = 0.2
LONGEST_PAUSE = 5.0

_BEHIND_LOGIN = "{url} is behind a login. What everybody may read is read; add what it says as a file or a text."
_PAGES = ("text/html", "application/xhtml+xml")
_FILES = ("application/pdf", "text/plain", "text/markdown", "text/csv")
_XML = ("application/xml", "text/xml", "application/rss+xml")


class CannotFetch(Exception):
    """A page could not be had; the text says why. `gone` where the server says that there is none any more."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as it came. `url` is where it was found in the end."""

    url: str
    data: bytes
    title: str = ""


@dataclass(frozen=True, slots=True)
class Missed:
    """A page that could not be had, and why."""

    url: str
    reason: str
    gone: bool


class Visit:
    """One visit to a website. Blocks; use it in a `with` block."""

    def __init__(self, url: str, *, most_pages: int = 1, depth: int = 0) -> None:
        self._start = html.plain_address(url)
        self._most_pages = min(most_pages, MOST_PAGES)
        self._depth = min(depth, MOST_DEPTH)
        self._pause = PAUSE_SECONDS
        self._deadline = time.monotonic() + TOTAL_SECONDS
        self._client = http.client(max_bytes=MOST_BYTES, total=60.0)
        self._robots: tuple[str, RobotFileParser] | None = None
        """The rules of the origin that was asked last."""
        self.was_cut = False
        """There was more than could be read in time."""

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def pages(self) -> Iterator[Fetched | Missed]:
        """Each page once, as they come, those nearest to the first one first.

        Raises CannotFetch for the first one: then there is nothing to be had.
        """
        first = self._fetch(self._start)
        host = urlsplit(first.url).netloc
        count = 0
        if first.kind in _XML or _is_sitemap(first.data):
            waiting = deque((url, 0) for url in self._sitemap(first, host))
        else:
            waiting = deque(self._next(first, 0, host))
            count = 1
            yield first.page
        seen = {self._start, first.url, *(url for url, _ in waiting)}
        while waiting and count < self._most_pages:
            if time.monotonic() > self._deadline:
                self.was_cut = True
                return
            url, depth = waiting.popleft()
            time.sleep(self._pause)
            try:
                answer = self._fetch(url)
            except CannotFetch as error:
                yield Missed(url, str(error), error.gone)
                continue
            if answer.url != url and (answer.url in seen or urlsplit(answer.url).netloc != host):
                continue
            seen.add(answer.url)
            for link in self._next(answer, depth, host):
                if link[0] not in seen:
                    seen.add(link[0])
                    waiting.append(link)
            if not answer.wants_no_index:
                count += 1
                yield answer.page
        self.was_cut = bool(waiting) and self._most_pages >= MOST_PAGES

    def _next(self, answer: _Answer, depth: int, host: str) -> list[tuple[str, int]]:
        if depth >= self._depth:
            return []
        return [(url, depth + 1) for url in answer.links if urlsplit(url).netloc == host]

    # --- fetching

    def _fetch(self, url: str) -> _Answer:
        """Raises CannotFetch."""
        for _ in range(MOST_REDIRECTS + 1):
            self._require_allowed(url)
            response = self._get(url)
            if response.is_redirect and response.headers.get("Location"):
                url = html.plain_address(urljoin(url, response.headers["Location"]))
                continue
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                raise CannotFetch(_BEHIND_LOGIN.format(url=url))
            if not response.is_success:
                gone = response.status_code in (404, 410)
                raise CannotFetch(f"{url} answered {response.status_code} {response.reason_phrase}.", gone=gone)
            return _Answer.of(url, response)
        raise CannotFetch(f"{url} is redirected more than {MOST_REDIRECTS} times.")

    def _get(self, url: str) -> httpx.Response:
        try:
            return self._client.get(url, headers={"Accept": "text/html, application/pdf, text/plain, */*;q=0.1"})
        except httpx.HTTPError as error:
            raise CannotFetch(f"{url} cannot be fetched: {error}") from error
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise CannotFetch(f"{url} is not an address: {error}") from error

    def _require_allowed(self, url: str) -> None:
        """Raises CannotFetch for what the site wants no robot to read. Each origin is asked once."""
        origin = _origin(url)
        if self._robots is None or self._robots[0] != origin:
            self._robots = (origin, self._ask_robots(origin))
        robots = self._robots[1]
        self._pause = max(self._pause, min(float(robots.crawl_delay(AGENT) or 0.0), LONGEST_PAUSE))
        if not robots.can_fetch(AGENT, url):
            raise CannotFetch(f"{url} may not be read by robots: the site's robots.txt says so.")

    def _ask_robots(self, origin: str) -> RobotFileParser:
        """RFC 9309: a site without the file allows everything, one that fails to answer for it nothing."""
        robots = RobotFileParser()
        response = self._get(f"{origin}/robots.txt")
        lines = response.text.splitlines() if response.is_success else []
        robots.parse(lines if response.status_code < 500 else ["User-agent: *", "Disallow: /"])
        return robots

    # --- sitemaps

    def _sitemap(self, first: _Answer, host: str) -> list[str]:
        """The pages of a sitemap and of the sitemaps that it names. Raises CannotFetch for one that is none."""
        pages: dict[str, None] = {}
        sitemaps, known = deque([first.data]), {first.url}
        while sitemaps:
            root = _xml(sitemaps.popleft())
            if root is None:
                raise CannotFetch(f"{self._start} is not a sitemap that can be read.")
            names = [html.plain_address((place.text or "").strip()) for place in root.findall("{*}*/{*}loc")]
            here = [url for url in names if urlsplit(url).netloc == host]
            if etree.QName(root).localname != "sitemapindex":
                pages |= dict.fromkeys(here)
                continue
            for url in here:
                if url not in known and len(known) < MOST_SITEMAPS:
                    known.add(url)
                    sitemaps.append(self._fetch(url).data)
        return list(pages)


@dataclass(frozen=True, slots=True)
class _Answer:
    url: str
    data: bytes
    kind: str
    title: str
    links: tuple[str, ...]
    wants_no_index: bool

    @classmethod
    def of(cls, url: str, response: httpx.Response) -> _Answer:
        """Raises CannotFetch for what cannot be read."""
        data = response.content
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind and kind not in (*_PAGES, *_FILES, *_XML):
            raise CannotFetch(f"{url} is {kind}, which cannot be read.")
        if kind not in _PAGES:
            return cls(url, data, kind, "", (), wants_no_index=False)
        page = html.read(data, url, charset=response.charset_encoding)
        if page.is_login:
            raise CannotFetch(_BEHIND_LOGIN.format(url=url))
        if response.charset_encoding:
            # What is kept tells its encoding itself.
            data = response.text.encode("utf-8-sig", errors="replace")
        links = () if page.wants_no_follow else tuple(page.links)
        return cls(url, data, kind, page.title, links, page.wants_no_index)

    @property
    def page(self) -> Fetched:
        return Fetched(self.url, self.data, self.title)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_sitemap(data: bytes) -> bool:
    return b"<urlset" in data[:2000] or b"<sitemapindex" in data[:2000]


def _xml(data: bytes) -> Any:
    """The root of an XML document; None for what is none. Fetches nothing and unfolds no entities."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
