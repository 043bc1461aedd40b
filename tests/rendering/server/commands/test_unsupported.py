"""What the page says is offered, is; what it says is absent, is not, and the reply says why."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from spinetrack_synth.rendering.server.commands.table import CommandTable
from spinetrack_synth.rendering.server.commands.unsupported import UNSUPPORTED
from spinetrack_synth.rendering.server.folder import Folder
from spinetrack_synth.rendering.server.level import Level

PAGE = Path(__file__).parents[4] / "docs/unreal-server.md"


@pytest.fixture
def table(tmp_path: Path) -> CommandTable:
    return CommandTable(Level(), None, 9000, Folder(tmp_path))


def without_arguments(template: str) -> str:
    """`vset /camera/[uint]/fov [float]` as `vset /camera/[uint]/fov`."""
    return " ".join(template.split(" ")[: 2 if "/" in template else 1])


def written_out(text: str) -> set[str]:
    """The templates, without arguments, of `vget\\|vset /camera/[uint]/{fov,size} ...`."""
    text = without_arguments(text.replace("\\|", "|"))
    pieces = [piece.split(",") for piece in re.split(r"[{}]", text)]
    return {
        f"{verb} {path}".strip()
        for spelled in map("".join, product(*pieces))
        for verbs, _, path in [spelled.partition(" ")]
        for verb in verbs.split("|")
    }


def listed(heading: str) -> set[str]:
    """The templates in a table of the page, from its first column."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.M)
    return set().union(*(written_out(text) for row in rows for text in re.findall(r"`(.+?)`", row)))


def test_the_page_lists_what_is_offered(table) -> None:
    offered = {without_arguments(template) for template in table.dispatcher.templates}
    assert listed("Commands") | listed("Commands of this project") == offered


def test_the_page_lists_what_is_absent() -> None:
    assert listed("What UnrealCV has and this server has not") == set(UNSUPPORTED)


@pytest.mark.parametrize("template", UNSUPPORTED)
def test_what_is_absent_is_not_offered_and_the_reply_says_why(table, template: str) -> None:
    assert template not in {without_arguments(known) for known in table.dispatcher.templates}
    command = template.replace("[uint]", "0").replace("[str]", "box")
    for text in (command, f"{command} 1 2 3"):
        assert table.dispatcher.answer(text).decode() == (
            f"error No handler found for URI '{text}' (Can not find a handler for URI '{text}'): "
            f"UnrealCV has this command, this server does not: {UNSUPPORTED[template]}"
        )
    unknown = table.dispatcher.answer(command + "x").decode()
    assert unknown.endswith(f"(Can not find a handler for URI '{command}x')")
