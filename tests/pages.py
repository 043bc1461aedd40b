"""What a page has in it, as a browser would find it."""

from __future__ import annotations

from html.parser import HTMLParser

SCRIPT = '<script>alert("1")</script><b onmouseover=x>&'
"""A name that tries to break out of a page."""


class Page(HTMLParser):
    """Counts tags, and remembers what would be fetched or run."""

    VOID = frozenset({"meta", "br", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.articles = 0
        self.pictures = 0
        self.outside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.articles += tag == "article"
        for name, value in attrs:
            if name in ("src", "href"):
                self.pictures += str(value).startswith("data:image/jpeg;base64,")
                if not str(value).startswith("data:"):
                    self.outside.append(str(value))
            assert not name.startswith("on")
        assert tag not in ("script", "link", "iframe")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_page(text: str) -> Page:
    """The page, which is whole, runs nothing and fetches nothing."""
    page = Page(text)
    assert page.open == []
    assert page.outside == []
    return page
