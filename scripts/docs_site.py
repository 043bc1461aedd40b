"""What mkdocs needs beside docs/: a hook of mkdocs.yml.

Pages are written for the repository, where a link leads to any file. In the site, pages that lie
outside docs/ get a place of their own, other files that are linked to are copied along, and links
to folders become plain text. Each room of the package gets an API page, and the commands one.
"""

from __future__ import annotations

import ast
import json
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = "spinetrack_synth"

PAGES: Final = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "unreal_project/README.md": "unreal-project.md",
}
"""Pages outside docs/: where they lie in the repository, and in the site."""

COPIES: Final = "repository"
"""The folder of the site that holds files of the repository that pages link to."""

_LINK: Final = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]+)(#[^)\s]*)?\)")
_NUMBERED: Final = re.compile(r"^\d\. .*\n(?:(?:   .*)?\n)*", re.M)
_FENCE: Final = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.M | re.S)


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """The parts of a page in order, each with whether it is prose; the others are code blocks."""
    end = 0
    for fence in _FENCE.finditer(text):
        yield True, text[end : fence.start()]
        yield False, fence[0]
        end = fence.end()
    yield True, text[end:]


def in_the_repository(page: str) -> str:
    """Where the source of a page of the site lies: README.md for overview.md."""
    return {place: source for source, place in PAGES.items()}.get(page, f"docs/{page}")


def in_the_site(path: str) -> str | None:
    """Where a file of the repository lies in the site; None for a folder."""
    if path in PAGES:
        return PAGES[path]
    if (ROOT / path).is_dir():
        return None
    return path.removeprefix("docs/") if path.startswith("docs/") else f"{COPIES}/{path}"


def targets(text: str, page: str) -> Iterator[str]:
    """Paths in the repository of the files that a page of the site links to."""
    for is_prose, part in prose(text):
        for link in _LINK.finditer(part) if is_prose else ():
            if "://" not in link[3]:
                yield _target(link[3], page)


def _target(link: str, page: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(in_the_repository(page)), link))


def for_the_site(text: str, page: str) -> str:
    """A page as the site shows it: its links lead on, its lists are as Python-Markdown has them."""

    def led(link: re.Match[str]) -> str:
        mark, words, target, anchor = link[1], link[2], link[3], link[4] or ""
        if "://" in target:
            return link[0]
        place = in_the_site(_target(target, page))
        if place is None:
            return words
        return (
            f"{mark}[{words}]({posixpath.relpath(place, posixpath.dirname(page) or '.')}{anchor})"
        )

    def shown(part: str) -> str:
        # Elsewhere a list may follow text without an empty line; Python-Markdown takes it for text.
        part = re.sub(r"(?m)^(?!\s|[-*>|#]|\d+\.)(.+\n)(?=(?:[-*]|\d+\.) )", r"\1\n", part)
        return _LINK.sub(led, part)

    def widened(item: re.Match[str]) -> str:
        # What belongs to "1. " is indented by three columns elsewhere, by four in Python-Markdown.
        lines = re.sub(r"(?m)^   (?=.)", "    ", item[0])
        return lines if lines == item[0] or lines.endswith("\n\n") else f"{lines}\n"

    text = _NUMBERED.sub(widened, text)
    return "".join(shown(part) if is_prose else part for is_prose, part in prose(text))


def api_pages() -> dict[str, str]:
    """The API pages by their place in the site: one for the loose modules, one a room."""
    package = ROOT / PACKAGE
    # Constants of the loose modules are public too.
    loose = [_module(path, ["!^_"]) for path in sorted(package.glob("[!_]*.py"))]
    pages = {"api/package.md": f"# package\n\n{''.join(loose)}"}
    for folder in sorted(path.parent for path in package.glob("*/__init__.py")):
        if folder.name != "cli":  # its page is that of the commands
            blocks = map(_module, sorted(folder.rglob("*.py")))
            pages[f"api/{folder.name}.md"] = f"# {folder.name}\n\n{''.join(blocks)}"
    return pages


def _module(path: Path, filters: list[str] | None = None) -> str:
    """The block of a module; of a package, what is defined there and not what it hands on."""
    way = path.relative_to(ROOT).with_suffix("").parts
    options: dict[str, Any] = {"toc_label": way[-1]}
    if filters:
        options["filters"] = filters
    if way[-1] == "__init__":
        way = way[:-1]
        top = ast.parse(path.read_text(encoding="utf-8")).body
        names = [item.name for item in top if isinstance(item, ast.FunctionDef | ast.ClassDef)]
        own = [name for name in names if not name.startswith("_")]
        options |= {"members": own or False, "toc_label": way[-1]}
    return f"::: {'.'.join(way)}\n    options: {json.dumps(options)}\n\n"


def command_page() -> str:
    """Every command of the command line with its help, as the terminal shows it."""
    import click

    from spinetrack_synth.cli import group

    lines = [
        "# Command line",
        "Every command with its `--help`. Mistakes end in one line and exit code 2, findings of "
        "`validate` and conditions of `gap` in 1, Ctrl-C in 130.",
    ]

    def tell(command: click.Command, context: click.Context, level: str) -> None:
        name = context.command_path
        lines.extend(["", f"{level} {name}", "```text", command.get_help(context), "```"])
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found is not None
                tell(found, click.Context(found, context, inner, terminal_width=78), "#" + level)

    settings = group.context_settings
    top = click.Context(group, info_name="spinetrack-synth", terminal_width=78, **settings)
    tell(group, top, "##")
    return "\n".join(lines) + "\n"


def on_config(config: MkDocsConfig) -> None:
    """Put the API pages into the navigation, under the page api.md."""

    def extended(items: list[Any]) -> list[Any]:
        return [
            {title: extended(inner) if isinstance(inner, list) else _with_rooms(inner)}
            for item in items
            for title, inner in item.items()
        ]

    config.nav = extended(config.nav or [])


def _with_rooms(page: str) -> str | list[Any]:
    if page != "api.md":
        return page
    return [{"Rooms": page}, *({Path(place).stem: place} for place in api_pages())]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages from outside docs/, API pages, and files that pages link to."""
    from mkdocs.structure.files import File, InclusionLevel

    for source, place in PAGES.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    linked = set()
    for page in files.documentation_pages():
        linked.update(targets(page.content_string, page.src_uri))
    for place, text in {**api_pages(), "command-line.md": command_page()}.items():
        files.append(File.generated(config, place, content=text))
    for path in sorted(linked):
        place = in_the_site(path)
        if place and place.startswith(f"{COPIES}/"):
            files.append(
                File.generated(
                    config,
                    place,
                    abs_src_path=os.fspath(ROOT / path),
                    inclusion=InclusionLevel.NOT_IN_NAV,
                )
            )
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links of a page to where the site has what they mean."""
    return for_the_site(markdown, page.file.src_uri)
