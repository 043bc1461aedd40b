"""The tutorials, each from top to bottom in a folder of its own, as a reader would type it."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import type_in

ROOT = Path(__file__).parents[1]
TUTORIALS = ROOT / "docs" / "tutorials"

SMALLER = {"--count 12": "--count 1", "--count 24": "--count 2", "--count 4": "--count 1"}
"""Numbers of pictures, and what they are here."""

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
CODE = re.compile(r"# exit code (\d)$")

pytestmark = pytest.mark.slow


def type_command(line: str) -> None:
    """Run a line of a shell block; it exits with 0, or with what its comment says."""
    program, *arguments = shlex.split(line, comments=True)
    if program == "pip":
        assert arguments[0] == "install"  # the extras are those of the pages: test_readme.py
        return
    assert program == "spinetrack-synth", f"{line}: tell this test how to run it"
    if arguments[0] == "render":
        for many, few in SMALLER.items():
            line = line.replace(many, few)
        arguments = [*shlex.split(line)[1:], "--size", "160x120", "--quality", "draft"]
    code, out, err = type_in(Path.cwd(), *arguments)
    told = CODE.search(line)
    assert code == int(told[1] if told else 0), f"{line}\n{out}\n{err}"


def follow(page: str, folder: Path) -> dict[str, Any]:
    """Do what a tutorial says; returns the names that its Python has made."""
    names: dict[str, Any] = {}
    with contextlib.chdir(folder):
        for language, block in BLOCK.findall((TUTORIALS / page).read_text()):
            if language == "sh":
                for line in block.splitlines():
                    type_command(line)
            elif language == "python":
                exec(compile(block, page, "exec"), names)
            elif language == "toml":  # its first line names the file
                Path(block.splitlines()[0].removeprefix("# ")).write_text(block)
    return names


@pytest.fixture(scope="session")
def first_dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder in which the first tutorial was followed, and its names; others go on from it."""
    pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
    folder = tmp_path_factory.mktemp("tutorials")
    return folder, follow("first-dataset.md", folder)


@pytest.fixture
def folder(first_dataset: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A folder with the dataset of the first tutorial."""
    shutil.copytree(first_dataset[0] / "yoga", tmp_path / "yoga")
    return tmp_path


def test_render_your_first_dataset(first_dataset: tuple[Path, dict[str, Any]]) -> None:
    folder, names = first_dataset
    assert len(names["names"]) == 37 and names["points_m"].shape == (37, 3)
    assert (folder / "yoga/contact_sheet.jpg").is_file()


def test_gate_a_release(folder: Path) -> None:
    follow("gate.md", folder)
    accepted = json.loads((folder / "baseline.json").read_text())["suppressions"]
    assert {entry["code"] for entry in accepted} == {"SPT324", "SPT353"}
    assert "SPT353" in (folder / "gate.html").read_text()


def test_the_action_is_called_with_what_it_takes() -> None:
    page = (TUTORIALS / "gate.md").read_text()
    action = (ROOT / "pipelines/validate/action.yml").read_text()
    given = re.findall(r"^    ([\w-]+): ", page.partition("  with:\n")[2].partition("```")[0], re.M)
    assert given and all(re.search(rf"^  {name}:$", action, re.M) for name in given)


def test_fit_a_motion(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pip install 'spinetrack-synth[motion]'")
    rms_deg = follow("motion.md", tmp_path)["rms_deg"]
    # What the page says of them.
    assert rms_deg["bend.mot"] < 1.3 and rms_deg["smooth.mot"] < 0.4
    assert (tmp_path / "bend_marker_errors.csv").is_file()


def test_measure_a_network(folder: Path) -> None:
    pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
    pytest.importorskip("onnx", reason="pip install onnx")
    from pose_networks import dot_network

    dot_network(folder / "M.onnx")
    dot_network(folder / "N.onnx", color_order="bgr")
    shutil.copy(folder / "yoga/annotations/person_keypoints_train.json", folder / "real.json")
    shutil.copytree(folder / "yoga/images/train", folder / "real")
    assert follow("network.md", folder)["figures"]["people"] >= 1
    assert (folder / "gap/report.html").is_file()
