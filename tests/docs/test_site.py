"""The site of the manual is built without a warning, has every page, and nothing in it leads nowhere or is fetched."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from .page import DOCS, ROOT

CONFIG = "zensical.toml"
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
"""Tags that fetch something, and the attribute that says what."""
NO_PAGE = {"404.html"}
"""Its links are those of the server's top, whatever was asked for."""


class Links(HTMLParser):
    """What a page links to and loads, and the places in it that can be linked to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADED and given.get("rel") != "canonical" and LOADED[tag] in given:
            self.loads.append(given[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("manual")
    shutil.copytree(DOCS, folder / "docs")  # through a link it would find nothing
    shutil.copy(ROOT / CONFIG, folder)
    for name in ("src", "scripts", "CHANGELOG.md"):
        (folder / name).symlink_to(ROOT / name)
    done = subprocess.run(
        [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "No issues found" in done.stdout + done.stderr
    return folder / "build" / "site"


@pytest.mark.slow
def test_every_link_of_the_site_leads_to_a_page_and_a_place_on_it(site: Path) -> None:
    """Zensical checks the links of the text; this also sees pictures, and what the theme and mkdocstrings link to."""
    pages = {page: Links(page) for page in site.rglob("*.html") if page.name not in NO_PAGE}
    assert len(pages) >= len(list(DOCS.rglob("*.md"))) - len(INCLUDED)
    lost: list[str] = []
    for page, links in pages.items():
        for link in [*links.links, *links.loads]:
            address, anchor = urldefrag(link)
            if urlsplit(address).scheme:
                continue
            target = (page.parent / unquote(urlsplit(address).path)).resolve() if address else page
            there = target.is_file() and (not anchor or target not in pages or unquote(anchor) in pages[target].anchors)
            if not there:
                lost.append(f"{page.relative_to(site)}: {link}")
    assert not lost


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    """No font, no script, no picture from the network: the manual is readable on a train."""
    loads = [load for page in site.rglob("*.html") for load in Links(page).loads]
    assert loads
    assert [load for load in loads if urlsplit(load).scheme or load.startswith("//")] == []
    styles = "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))
    assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]*\)", styles) == []


@pytest.mark.slow
def test_the_reference_shows_signatures_and_examples(site: Path) -> None:
    """The names are found by mkdocstrings, and `>>>` examples are blocks of code and no quotations."""
    page = (site / "reference" / "running.html").read_text(encoding="utf-8")
    assert 'id="stepwell.App.resume"' in page
    assert "&gt;&gt;&gt;" in page
    assert "<blockquote>" not in page


def test_every_page_has_its_place_in_the_navigation() -> None:
    """A page that nobody can find is not written; add it to `nav` in zensical.toml."""
    nav = tomllib.loads((ROOT / CONFIG).read_text(encoding="utf-8"))["project"]["nav"]
    listed = list(_places(nav))
    assert len(listed) == len(set(listed))
    assert set(listed) == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - INCLUDED


INCLUDED = {"benchmarks-table.md"}
"""Parts of other pages."""


def _places(nav: object) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    for one in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from _places(one)
