"""Check the built documentation without a network: links, pictures, and that nothing is fetched.

``python scripts/verification/check_docs.py docs/_build/html`` reads every page and fails if

- a link or picture of the site leads to a file, or to a place on a page, that is not there;
- a picture has no words, or a page no title, language or main heading;
- a page would load a script, style, font or picture from another machine, or an id occurs twice;
- the address of another site is not well formed. These are counted and not visited; ``--list``
  prints them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"img": "src", "script": "src", "source": "src", "iframe": "src", "audio": "src",
         "video": "src", "embed": "src", "object": "data"}  # fmt: skip
LOADED_LINKS = {"stylesheet", "icon", "preload", "manifest", "modulepreload", "preconnect",
                "dns-prefetch"}  # fmt: skip
STYLE_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")


class Page(HTMLParser):
    """What one page links to, loads, names and leaves without words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.wrong: list[str] = []
        self.pictures = self.headings = 0
        self.title = self.language = ""
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        at = {name: value or "" for name, value in attrs}
        self._in = tag
        if "id" in at:
            self.ids[at["id"]] += 1
        if tag == "html":
            self.language = at.get("lang", "")
        if tag == "h1":
            self.headings += 1
        if tag == "a":
            if "href" in at:
                self.links.append(at["href"])
            elif "name" in at:
                self.ids[at["name"]] += 1
        if tag == "link" and set(at.get("rel", "").split()) & LOADED_LINKS:
            self.loads.append(at.get("href", ""))
        if tag in LOADS and LOADS[tag] in at:
            self.loads.append(at[LOADS[tag]])
        if tag == "img":
            self.pictures += 1
            alt = at.get("alt", "").strip()
            if not alt or alt == at.get("src") or alt.endswith((".png", ".svg")):
                self.wrong.append(f"the picture {at.get('src')} has no words")
        self.loads += _style_urls(at.get("style", ""))

    def handle_data(self, data: str) -> None:
        """Note a title and what styles load."""
        if self._in == "title":
            self.title += data.strip()
        if self._in == "style":
            self.loads += _style_urls(data)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self._in = ""


def _style_urls(text: str) -> list[str]:
    return [a or b for a, b in STYLE_URL.findall(text)]


def _elsewhere(address: str) -> bool:
    return bool(urlsplit(address).netloc or urlsplit(address).scheme)


class Site:
    """All pages of a folder, and what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.pages = {p: Page(p.read_text("utf-8")) for p in sorted(self.folder.rglob("*.html"))}
        self.wrong: list[str] = []
        self.checked = Counter[str]()
        self.others: set[str] = set()
        for path, page in self.pages.items():
            self._check(path, page)
        for path in sorted(self.folder.rglob("*.css")):
            for address in _style_urls(path.read_text("utf-8")):
                if not address.startswith(("data:", "#")):
                    self._load(path, address)

    def _say(self, path: Path, words: str) -> None:
        self.wrong.append(f"{path.relative_to(self.folder)}: {words}")

    def _check(self, path: Path, page: Page) -> None:
        self.checked["pages"] += 1
        self.checked["pictures"] += page.pictures
        for words in page.wrong:
            self._say(path, words)
        for name, times in page.ids.items():
            if times > 1:
                self._say(path, f"the id {name!r} occurs {times} times")
        if not (page.title and page.language):
            self._say(path, "it has no title or no language")
        if page.headings != 1 and path.name != "search.html":  # its heading is made by a script
            self._say(path, f"it has {page.headings} main headings (h1)")
        for address in page.loads:
            self._load(path, address)
        for address in page.links:
            self._link(path, address)

    def _load(self, path: Path, address: str) -> None:
        if address.startswith("data:"):
            return
        if _elsewhere(address):
            self._say(path, f"it would load {address}")
        else:
            self._inside(path, address, "files loaded")

    def _link(self, path: Path, address: str) -> None:
        if not _elsewhere(address):
            self._inside(path, address, "links within")
            return
        found = urlsplit(address)
        good = found.scheme == "mailto" or (
            found.scheme in ("https", "http")
            and re.fullmatch(r"[\w.-]+\.[a-z]{2,}(:\d+)?", found.netloc)
            and not re.search(r"\s", address)
        )
        if not good:
            self._say(path, f"the address {address} is not well formed")
        self.others.add(address)

    def _inside(self, path: Path, address: str, kind: str) -> None:
        found = urlsplit(address)
        self.checked[kind] += 1
        to = path if not found.path else (path.parent / unquote(found.path)).resolve()
        to = to / "index.html" if to.is_dir() else to
        if not to.is_relative_to(self.folder) or not to.is_file():
            self._say(path, f"{address} leads nowhere")
        elif found.fragment and to in self.pages:
            self.checked["places on pages"] += 1
            if unquote(found.fragment) not in self.pages[to].ids:
                self._say(path, f"{address} leads to no place on that page")


def main() -> int:
    """Check a site, print what is wrong, and return 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where Sphinx wrote the pages")
    parser.add_argument("--list", action="store_true", help="print the addresses of other sites")
    asked = parser.parse_args()
    if not (asked.folder / "index.html").is_file():
        print(f"There is no site in {asked.folder}: build it first.", file=sys.stderr)
        return 2
    site = Site(asked.folder)
    for words in site.wrong:
        print(words, file=sys.stderr)
    if asked.list:
        print("\n".join(sorted(site.others)))
    counts = ", ".join(f"{n} {what}" for what, n in sorted(site.checked.items()))
    print(f"Checked: {counts}; {len(site.others)} addresses elsewhere; {len(site.wrong)} wrong.")
    return 1 if site.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
