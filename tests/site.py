"""What stands in the files of a site, and which of its links lead nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src", "iframe": "src"}
STYLE_LINK = re.compile(r"""url\(\s*["']?([^"')]+)["']?\s*\)|@import\s+["']([^"']+)["']""")


class Page(HTMLParser):
    """One page: its links, its anchors, its pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links: list[tuple[str, str]] = []
        self.anchors: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.anchors.add(str(given["id"]))
        if tag == "img":
            self.pictures.append(given)
        if target := given.get(LINKS.get(tag, "")):
            self.links.append((tag, target))


def broken_links(folder: Path) -> Iterator[str]:
    """Links of pages and style sheets that lead to nothing within the folder; links to elsewhere count as broken."""
    pages = {path: Page(path) for path in folder.glob("*.html")}
    for path, page in pages.items():
        for _, target in page.links:
            url = urlsplit(target)
            if url.scheme == "data":
                continue
            at = (path.parent / unquote(url.path)).resolve() if url.path else path
            if url.scheme or url.netloc or not at.is_file():
                yield f"{path.name}: {target}"
            elif url.fragment and at in pages and unquote(url.fragment) not in pages[at].anchors:
                yield f"{path.name}: {target} (no such place)"
    for path in folder.rglob("*.css"):
        for found in STYLE_LINK.finditer(path.read_text(encoding="utf-8")):
            target = found[1] or found[2]
            url = urlsplit(target)
            if url.scheme != "data" and (url.scheme or url.netloc or not (path.parent / unquote(url.path)).is_file()):
                yield f"{path.relative_to(folder)}: {target}"
