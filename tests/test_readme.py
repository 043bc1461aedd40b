"""Every command that README and docs tell people to type."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stand_ins import BallRenderer, ball_source

from spinetrack_synth.dataset import DatasetConfig, run_dataset

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

SMALLER = {
    "spinetrack-synth render": ["--size", "160x120", "--quality", "draft", "--count", "2"],
    "python benchmarks/tissue_depth.py": ["--people", "1"],
}
"""What is added to commands that take long; of an option given twice the last counts."""


def blocks(page: Path, language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def commands() -> Iterator[str]:
    for page in PAGES:
        for block in blocks(page, "sh"):
            yield from block.replace("\\\n", " ").splitlines()


def is_long(command: str) -> bool:
    return command.startswith(tuple(SMALLER))


def marked(command: str) -> object:
    return pytest.param(command, marks=pytest.mark.slow) if is_long(command) else command


@pytest.mark.parametrize("command", [marked(c) for c in dict.fromkeys(commands())])
def test_a_command_of_the_pages_runs(command: str, tmp_path: Path) -> None:
    program, *arguments = shlex.split(command)
    folder = tmp_path
    if program == "make":
        # What the targets run is tested elsewhere: make itself only says what it would do.
        assert shutil.which("make"), "make is not installed"
        program, arguments, folder = "make", ["--dry-run", *arguments], ROOT
    elif program == "python":
        pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
        program, folder = sys.executable, ROOT
    else:
        assert program == "spinetrack-synth", f"{command}: tell this test how to run it"
        if arguments[0] == "render":
            pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
        program, arguments = sys.executable, ["-m", "spinetrack_synth", *arguments]
    for start, smaller in SMALLER.items():
        if command.startswith(start):
            arguments += smaller
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_readme_leads_with_the_two_commands() -> None:
    assert list(commands())[:2] == ["make demo", "make test"]


def test_python_of_the_labels_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dataset(
        DatasetConfig(scene="balls", count=1, size=(96, 72)),
        tmp_path / "OUT",
        open_source=ball_source,
        open_renderer=lambda backend: BallRenderer(),
    )
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(ROOT / "docs/labels.md", "python"):
        exec(compile(block, "docs/labels.md", "exec"), names)
    assert names["points_world"].shape == (37, 3)
    assert "pelvis_tilt" in names["names"]


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_options_of_render_are_those_of_the_readme() -> None:
    from spinetrack_synth.cli.render import command

    text = (ROOT / "README.md").read_text()
    for parameter in command.params:
        assert f"| `{parameter.opts[0]}` |" in text, parameter.opts[0]
