"""The documentation site is built strictly, links within itself, loads nothing from elsewhere, and is complete."""

import html.parser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCES = ("script", "link", "img", "iframe", "source", "video", "audio")


class Page(html.parser.HTMLParser):
    """What a page links to, loads, and can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in SOURCES and found.get("rel") not in ("prev", "next", "canonical", "alternate"):
            self.loads += [found[name] for name in ("src", "href") if name in found]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site in a folder of its own; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    shutil.copytree(DOCS, folder / "docs")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Give each page by its address."""
    return {
        f"/{path.relative_to(site)}".removesuffix("index.html"): Page(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        if path.name != "404.html"
    }


def test_every_page_of_the_docs_is_in_the_navigation() -> None:
    def listed(part: object) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        elif isinstance(part, list | dict):
            for inner in part.values() if isinstance(part, dict) else part:
                yield from listed(inner)

    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    assert sorted(listed(navigation)) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def test_the_site_has_a_page_for_each_and_shows_it_as_meant(pages: dict[str, Page], site: Path) -> None:
    assert len(pages) == len(list(DOCS.rglob("*.md")))
    for path in site.rglob("index.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(<p>|^) *```", text, re.MULTILINE), f"{path}: a block that was not understood"
        assert not re.search(r"<p>\|", text), f"{path}: a table that was not understood"


def test_links_within_the_site_lead_somewhere(pages: dict[str, Page], site: Path) -> None:
    for address, page in pages.items():
        for link in (*page.links, *page.loads):
            url, anchor = urldefrag(urljoin(f"http://site{address}", link))
            parts = urlsplit(url)
            if parts.netloc != "site" or parts.scheme != "http":
                continue
            path = unquote(parts.path)
            if path in pages:
                assert not anchor or unquote(anchor) in pages[path].ids, f"{address}: {link}"
            else:
                assert (site / path.lstrip("/")).is_file(), f"{address}: {link} leads out of the site"


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, Page], site: Path) -> None:
    for address, page in pages.items():
        assert not [one for one in page.loads if urlsplit(one).netloc], address
    for path in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//", path.read_text(encoding="utf-8")), path
