"""The documentation site: its links lead where those of the repository lead, and it builds."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from spinetrack_synth.cli import COMMANDS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The hook of mkdocs.yml; it needs no mkdocs until a site is built."""
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / "scripts/docs_site.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("page", "text", "expected"), [
    ("ik.md", "[m](motion.md#formats)", "[m](motion.md#formats)"),
    ("index.md", "[o](../README.md#rendering)", "[o](overview.md#rendering)"),
    ("overview.md", "![s](docs/pictures/keypoints.png)", "![s](pictures/keypoints.png)"),
    ("overview.md", "[l](docs/labels.md)", "[l](labels.md)"),
    ("unreal-project.md", "[u](../docs/unreal.md#names)", "[u](unreal.md#names)"),
    ("tutorials/gate.md", "[v](../validation.md)", "[v](../validation.md)"),
    ("labels.md", "[v](../spinetrack_synth/labels/visibility.py)",
     "[v](repository/spinetrack_synth/labels/visibility.py)"),
    ("keypoints.md", "[`tables`](../opensim_models/tables)", "`tables`"),
    ("ik.md", "[x](#here) [y](https://a.org/b.md)", "[x](#here) [y](https://a.org/b.md)"),
    ("ik.md", "```\n[m](../README.md)\n```\n", "```\n[m](../README.md)\n```\n"),
    ("ik.md", "so:\n- a\n- b\n", "so:\n\n- a\n- b\n"),
    ("ik.md", "1. a\n2. b:\n\n   c\n3. d\n", "1. a\n2. b:\n\n    c\n\n3. d\n"),
])  # fmt: skip
def test_pages_are_led_to_the_site(hook: ModuleType, page: str, text: str, expected: str) -> None:
    assert hook.for_the_site(text, page) == expected


def test_every_page_of_docs_is_in_the_navigation(hook: ModuleType) -> None:
    listed = set(re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M))
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert listed == pages | set(hook.PAGES.values()) | {"command-line.md"}


def test_the_gallery_shows_every_picture() -> None:
    page = (ROOT / "docs/gallery.md").read_text()
    assert all(f"pictures/{path.name})" in page for path in (ROOT / "docs/pictures").iterdir())


def test_the_command_page_has_every_command(hook: ModuleType) -> None:
    page = hook.command_page()
    assert all(f"\n### spinetrack-synth {command}\n" in page for command in COMMANDS)
    assert "\n#### spinetrack-synth motion convert\n" in page


def test_contributing_names_what_is_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    folders = r"spinetrack_synth|tests|scripts|opensim_models|\.github"
    paths = re.findall(rf"`((?:{folders})/[\w./]*)`", page)
    assert len(paths) > 20
    there = {path for path in paths if any(ROOT.glob(f"{path.rstrip('/')}*"))}
    assert set(paths) - there == set()


class _Fetched(HTMLParser):
    """What a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe"):
            self.found.append(given.get("src") or "")
        if tag == "link" and given.get("rel") != "canonical":
            self.found.append(given.get("href") or "")


@pytest.mark.exhaustive
def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    """That it builds is what `make docs` shows, which every change goes through."""
    pytest.importorskip("material", reason="pip install 'spinetrack-synth[docs]'")
    pytest.importorskip("mkdocstrings", reason="pip install 'spinetrack-synth[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        parser = _Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        assert not [place for place in parser.found if re.match(r"(https?:)?//", place)], page
    assert "fonts.googleapis" not in (tmp_path / "index.html").read_text(encoding="utf-8")
