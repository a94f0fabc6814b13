"""What the site has: every link leads somewhere, every public name is there, no page is large."""

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

import nb101

from .conftest import SITE

LARGEST = 1_000_000
"""Bytes of a page; the explorer is apart."""


@dataclass
class Found:
    """What a page has."""

    links: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    """What a browser fetches by itself."""
    anchors: set[str] = field(default_factory=set)
    titles: int = 0


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Found()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        found = self.found
        found.anchors |= {given[name] for name in ("id", "name") if name in given}
        found.titles += tag == "h1"
        if tag == "a" and "href" in given:
            found.links.append(given["href"])
        if tag in ("img", "script", "iframe", "source") and "src" in given:
            found.parts.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload"):
            found.parts.append(given["href"])


@cache
def read(page: Path) -> Found:
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.found


def pages() -> list[Path]:
    return [path for path in sorted(SITE.rglob("*.html")) if path.parent != SITE / "explorer"]


def lost(page: Path, link: str) -> str | None:
    """Say what is wrong with a link within the site."""
    parsed = urlparse(link)
    if parsed.scheme or parsed.netloc:
        return None
    target = (page.parent / unquote(parsed.path)).resolve() if parsed.path else page
    target = target / "index.html" if target.is_dir() else target
    if not target.is_relative_to(SITE.resolve()) or not target.exists():
        return "no such page"
    anchor = unquote(parsed.fragment)
    known = target.suffix != ".html" or target.parent == SITE.resolve() / "explorer"
    if anchor and not known and anchor not in read(target).anchors:
        return "no such anchor"
    return None


def test_there_are_pages() -> None:
    assert len(pages()) > 150


def test_every_link_leads_somewhere() -> None:
    wrong = [
        f"{page.relative_to(SITE)}: {link}: {why}"
        for page in pages()
        for link in (*read(page).links, *read(page).parts)
        if (why := lost(page.resolve(), link)) is not None
    ]
    assert not wrong, "\n".join(wrong)


def test_the_check_of_links_finds_what_is_wrong(site: Path) -> None:
    page = (site / "index.html").resolve()
    assert lost(page, "nowhere.html") == "no such page"
    assert lost(page, "../../../outside.html") == "no such page"
    assert lost(page, "start/install.html#nowhere") == "no such anchor"
    assert lost(page, "start/install.html#extras") is None
    assert lost(page, "https://arxiv.org/abs/1902.09635") is None


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert [
        f"{page.relative_to(SITE)}: {part}"
        for page in pages()
        for part in read(page).parts
        if urlparse(part).netloc
    ] == []


def test_no_page_is_large() -> None:
    assert [
        f"{page.relative_to(SITE)}: {page.stat().st_size:,} bytes"
        for page in pages()
        if page.stat().st_size > LARGEST
    ] == []


def test_every_page_has_one_title() -> None:
    apart = {"genindex.html", "py-modindex.html", "search.html"}
    wrong = [
        str(page.relative_to(SITE))
        for page in pages()
        if page.name not in apart and "_modules" not in page.parts and read(page).titles != 1
    ]
    assert wrong == []


@pytest.mark.parametrize("part", ["", *nb101._PARTS])
def test_every_public_name_is_described(part: str) -> None:
    if part in ("nn", "train"):
        pytest.importorskip("torch")
    module = import_module(f"nb101.{part}" if part else "nb101")
    known = set().union(*(read(page).anchors for page in (SITE / "reference" / "api").glob("*")))
    # Exported by several packages, and described at the first of them.
    last = {anchor.rpartition(".")[2] for anchor in known}
    hidden = {"__version__", "data"}
    assert [name for name in module.__all__ if name not in last | hidden] == []
