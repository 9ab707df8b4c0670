"""Reading a website: what is read of it, in which order, and what is left alone."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from builder.knowledge import crawl
from builder.knowledge.crawl import CannotFetch, Fetched, Missed, Visit
from tests.builder.knowledge import papers
from tests.builder.knowledge.site import Answer, Site


def read(site: Site, path: str = "/", *, most_pages: int = 50, depth: int = 5) -> list[Fetched | Missed]:
    with Visit(site.url + path, most_pages=most_pages, depth=depth) as visit:
        return list(visit.pages())


def paths(site: Site, found: list[Fetched | Missed]) -> list[str]:
    return [page.url.removeprefix(site.url) for page in found if isinstance(page, Fetched)]


def test_one_page_is_read_and_no_link_followed(site: Site) -> None:
    site.page("/", '<a href="/b">b</a>')
    (page,) = read(site, most_pages=1, depth=0)
    assert isinstance(page, Fetched)
    assert (page.url, page.title) == (f"{site.url}/", "Start")
    assert site.asked == ["/robots.txt", "/"]


def test_links_of_the_same_host_are_followed_once_the_nearest_first(site: Site) -> None:
    site.page("/", '<a href="a">a</a> <a href="/b#part">b</a> <a href="http://elsewhere.example/">x</a>')
    site.page("/a", '<a href="/c">c</a> <a href="/">back</a>')
    site.page("/b", '<a href="/a">a</a>')
    site.page("/c", "c")
    assert paths(site, read(site)) == ["/", "/a", "/b", "/c"]
    assert site.pages_asked == ["/", "/a", "/b", "/c"]


def test_pages_further_away_than_the_depth_are_not_read(site: Site) -> None:
    for name, link in ("/", "/1"), ("/1", "/2"), ("/2", "/3"):
        site.page(name, f'<a href="{link}">on</a>')
    assert paths(site, read(site, depth=1)) == ["/", "/1"]


def test_no_more_pages_are_read_than_wanted(site: Site) -> None:
    site.page("/", " ".join(f'<a href="/{number}">x</a>' for number in range(9)))
    for number in range(9):
        site.page(f"/{number}", "x")
    assert paths(site, read(site, most_pages=4)) == ["/", "/0", "/1", "/2"]


def test_robots_txt_is_honoured(site: Site) -> None:
    site.pages["/robots.txt"] = Answer("User-agent: *\nDisallow: /private\n", kind="text/plain")
    site.page("/", '<a href="/private/a">a</a> <a href="/b">b</a>')
    site.page("/private/a", "secret")
    site.page("/b", "b")
    found = read(site)
    assert paths(site, found) == ["/", "/b"]
    assert "/private/a" not in site.asked
    assert any(isinstance(page, Missed) and "robots.txt" in page.reason for page in found)


def test_what_is_meant_for_our_robot_counts(site: Site) -> None:
    site.pages["/robots.txt"] = Answer("User-agent: Callwright\nDisallow: /\n\nUser-agent: *\nAllow: /\n")
    site.page("/", "x")
    with pytest.raises(CannotFetch, match=r"robots\.txt"):
        read(site)


def test_a_site_that_fails_to_answer_for_its_robots_txt_is_left_alone(site: Site) -> None:
    site.pages["/robots.txt"] = Answer("broken", 503)
    site.page("/", "x")
    with pytest.raises(CannotFetch, match=r"robots\.txt"):
        read(site)
    assert site.asked == ["/robots.txt"]


def test_pages_that_want_not_to_be_indexed_or_followed_are_not(site: Site) -> None:
    site.page("/", '<a href="/a">a</a> <a href="/b">b</a>')
    site.pages["/a"] = Answer('<meta name="robots" content="noindex"><main><a href="/c">c</a></main>')
    site.pages["/b"] = Answer('<meta name="robots" content="nofollow"><main><a href="/d">d</a></main>')
    site.page("/c", "c")
    site.page("/d", "d")
    assert paths(site, read(site)) == ["/", "/b", "/c"]


def test_redirects_are_followed_and_lead_to_no_page_twice(site: Site) -> None:
    site.page("/", '<a href="/old">old</a> <a href="/new">new</a> <a href="/away">away</a>')
    site.pages["/old"] = Answer(status=301, headers={"Location": "/new"})
    site.pages["/away"] = Answer(status=302, headers={"Location": "http://elsewhere.example/"})
    site.page("/new", "new")
    assert paths(site, read(site)) == ["/", "/new"]


def test_a_circle_of_redirects_comes_to_an_end(site: Site) -> None:
    site.pages["/"] = Answer(status=302, headers={"Location": "/"})
    with pytest.raises(CannotFetch, match="redirected more than"):
        read(site)


def test_a_redirect_into_our_own_network_is_not_followed(site: Site) -> None:
    site.pages["/"] = Answer(status=302, headers={"Location": "http://127.0.0.1:1/"})
    with pytest.raises(CannotFetch, match=r"127\.0\.0\.1 is at .* not a public address, so it was not contacted"):
        read(site)


def test_a_private_address_is_not_read(site: Site, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = []
    site.page("/", "x")
    with pytest.raises(CannotFetch, match="not a public address"):
        read(site)
    assert site.asked == []


def test_a_page_that_wants_a_password_is_said_to_be_behind_a_login(site: Site) -> None:
    site.pages["/"] = Answer("No.", 401, headers={"WWW-Authenticate": "Basic"})
    with pytest.raises(CannotFetch, match=f"{site.url}/ is behind a login"):
        read(site)


def test_a_redirect_to_a_login_is_said_to_be_one(site: Site) -> None:
    site.pages["/"] = Answer(status=302, headers={"Location": "/login?next=/"})
    site.page("/login?next=/", '<h1>Welcome back</h1><form><input name="user"><input type="Password"></form>')
    with pytest.raises(CannotFetch, match="behind a login"):
        read(site)


def test_a_page_that_lets_one_log_in_beside_its_text_is_read(site: Site) -> None:
    site.page("/", f'<form><input type="password"></form><p>{"Dogs are welcome. " * 100}</p>')
    assert paths(site, read(site)) == ["/"]


def test_a_page_that_is_too_large_is_not_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "MOST_BYTES", 1000)
    site.page("/", "x" * 1000)
    with pytest.raises(CannotFetch, match="longer than 1,000 bytes"):
        read(site)


def test_a_packed_page_is_not_unpacked(site: Site) -> None:
    site.pages["/"] = Answer(gzip.compress(bytes(1_000_000)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(CannotFetch, match="compressed"):
        read(site)


def test_a_sitemap_names_the_pages_and_other_sitemaps(site: Site) -> None:
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    site.pages["/sitemap.xml"] = Answer(
        f"<sitemapindex {space}><sitemap><loc>{site.url}/map-a.xml</loc></sitemap>"
        f"<sitemap><loc>{site.url}/sitemap.xml</loc></sitemap></sitemapindex>",
        kind="application/xml",
    )
    site.pages["/map-a.xml"] = Answer(
        f"<?xml version='1.0'?><urlset {space}><url><loc>{site.url}/a</loc></url>"
        f"<url><loc> {site.url}/b </loc></url><url><loc>http://elsewhere.example/</loc></url></urlset>",
        kind="text/xml",
    )
    site.page("/a", '<a href="/c">not in the map</a>')
    site.page("/b", "b")
    assert paths(site, read(site, "/sitemap.xml", depth=0)) == ["/a", "/b"]


def test_a_sitemap_gives_as_many_pages_as_wanted(site: Site) -> None:
    locations = "".join(f"<url><loc>{site.url}/{number}</loc></url>" for number in range(5))
    site.pages["/sitemap.xml"] = Answer(f"<urlset>{locations}</urlset>", kind="text/xml")
    for number in range(5):
        site.page(f"/{number}", "x")
    assert paths(site, read(site, "/sitemap.xml", most_pages=3, depth=0)) == ["/0", "/1", "/2"]


def test_a_sitemap_that_unfolds_entities_gives_nothing(site: Site) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
    site.pages["/sitemap.xml"] = Answer(bomb, kind="text/xml")
    assert read(site, "/sitemap.xml") == []


def test_other_files_are_read_too_and_pictures_are_not(site: Site) -> None:
    site.page("/", '<a href="/a.pdf">a</a> <a href="/b.png">b</a>')
    site.pages["/a.pdf"] = Answer(papers.pdf("Hello"), kind="application/pdf")
    site.pages["/b.png"] = Answer(b"\x89PNG", kind="image/png")
    found = read(site)
    assert paths(site, found) == ["/", "/a.pdf"]
    assert [page.reason for page in found if isinstance(page, Missed)] == [
        f"{site.url}/b.png is image/png, which cannot be read."
    ]


def test_a_page_that_is_gone_is_told_from_one_that_fails(site: Site) -> None:
    site.page("/", '<a href="/gone">x</a> <a href="/broken">x</a>')
    site.pages["/broken"] = Answer("x", 500)
    missed = {page.url.rpartition("/")[2]: page.gone for page in read(site) if isinstance(page, Missed)}
    assert missed == {"gone": True, "broken": False}


def test_a_first_page_that_is_not_there_is_an_error(site: Site) -> None:
    with pytest.raises(CannotFetch, match="404"):
        read(site)


def test_the_encoding_that_the_server_names_is_kept(site: Site) -> None:
    site.pages["/"] = Answer("<main>Café".encode("latin-1"), kind="text/html; charset=iso-8859-1")
    (page,) = read(site)
    assert isinstance(page, Fetched)
    assert "Café" in page.data.decode("utf-8-sig")


def test_a_visit_ends_when_its_time_is_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "TOTAL_SECONDS", -1.0)
    site.page("/", '<a href="/a">a</a>')
    with Visit(f"{site.url}/", most_pages=9, depth=1) as visit:
        assert len(list(visit.pages())) == 1
        assert visit.was_cut
