"""Every command that README and docs tell people to type."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from commands import type_in
from fakes import BallRenderer, ball_source
from PIL import Image
from stage import set_stage

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.extras import EXTRAS

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
TUTORIALS = tuple(sorted((ROOT / "docs" / "tutorials").glob("*.md")))
"""Their commands are run by test_tutorials.py, in order."""

SCALAR = "spinetrack_synth.rendering.scalar"
SMALLER = {
    "spinetrack-synth render": [
        "--size",
        "160x120",
        "--quality",
        "draft",
        "--count",
        "1",
        "--subjects",
        "1",
    ],
    "spinetrack-synth render --scenes yoga,gym": ["--count", "2"],
    "spinetrack-synth render --scenes yoga --sequence": ["--count", "2"],
    "spinetrack-synth avatars export --scenes": ["--scenes", "office"],
    "spinetrack-synth run": ["--dry-run"],
    "spinetrack-synth serve": ["--size", "64x48", "--quality", "draft", "--port", "0"],
    "python benchmarks/tissue_depth.py": ["--people", "1"],
    "python benchmarks/anatomy.py": ["--people", "3"],
    "python benchmarks/render.py": ["--pictures", "2", "--compare", "1", "--quality", "draft"],
    "python benchmarks/inference.py": ["--rounds", "1", "--calls", "3"],
}
"""What is added to commands that take long; of an option given twice the last counts."""

FIRST = "spinetrack-synth render --scenes yoga"
"""What readers type first has a process of its own, to its end; the others share that of the
tests."""


def blocks(page: Path, language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def commands() -> Iterator[str]:
    for page in PAGES:
        for block in blocks(page, "sh"):
            yield from block.replace("\\\n", " ").splitlines()


def is_long(command: str) -> bool:
    return command.startswith((*SMALLER, "spinetrack-synth"))


def marked(command: str) -> object:
    return pytest.param(command, marks=pytest.mark.slow) if is_long(command) else command


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages' commands name."""
    return set_stage(tmp_path_factory.mktemp("stage"))


@pytest.mark.parametrize("command", [marked(c) for c in dict.fromkeys(commands())])
def test_a_command_of_the_pages_runs(
    command: str, tmp_path: Path, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no page needs a network to run
    program, *arguments = shlex.split(command)
    if program == "pip":  # needs a network: what it names is there
        assert arguments[0] == "install"
        extra = re.fullmatch(r"(?:\.|spinetrack-synth)\[(\w+)\]", arguments[1])
        assert extra and extra[1] in {*EXTRAS, "all"}
        return
    folder = tmp_path
    if arguments[0] != "render":
        shutil.copytree(stage, folder, dirs_exist_ok=True)
    elif "--motion" in arguments:
        shutil.copy(stage / "walk.bvh", folder)
    elif "gym.toml" in arguments:
        pytest.importorskip("trimesh", reason="pip install 'spinetrack-synth[meshes]'")
        for name in ("gym.toml", "bench.glb", "dumbbell.stl"):
            shutil.copy(stage / name, folder)
    for start, smaller in SMALLER.items():
        if command.startswith(start):
            arguments += smaller
    if program == "make":
        # What the targets run is tested elsewhere: make itself only says what it would do.
        assert shutil.which("make"), "make is not installed"
        subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, check=True, capture_output=True)
        return
    if program == "python":
        pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
        run_script(arguments, monkeypatch)
        return
    assert program == "spinetrack-synth", f"{command}: tell this test how to run it"
    if "M.onnx" in arguments:
        pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
        pytest.importorskip("onnx", reason="pip install onnx")
    if arguments[0] == "train":
        pytest.importorskip("torch", reason="pip install 'spinetrack-synth[train]'")
    if arguments[0] in ("render", "serve"):
        pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
    if arguments[0] == "serve":  # goes on until it is told to stop
        serving = [sys.executable, "-m", "spinetrack_synth", *arguments]
        with subprocess.Popen(serving, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout.readline().startswith("listening at ")
            server.terminate()
        assert server.returncode == 0
        return
    if command == FIRST:
        alone = [sys.executable, "-m", "spinetrack_synth", *arguments]
        done = subprocess.run(alone, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return
    code, _, err = type_in(folder, *arguments)
    # A gate that finds something in ball people has run all the same.
    assert code in ((0, 1) if arguments[0] == "validate" else (0,)), err


def run_script(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a benchmark as ``python`` does, its size cut down, in this process."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(Path(arguments[0]).parent))
    monkeypatch.setattr(sys, "argv", arguments)
    costs = importlib.import_module("render_costs")
    monkeypatch.setattr(costs, "SIZE", (96, 72))
    monkeypatch.setattr(costs, "SUBJECTS", (1, 1))
    loaded = SCALAR in sys.modules
    runpy.run_path(arguments[0], run_name="__main__")
    if not loaded:  # its classes are those of the variant that was set when it was imported
        sys.modules.pop(SCALAR, None)


def test_the_readme_leads_with_the_two_commands() -> None:
    assert list(commands())[:3] == [
        "pip install '.[render]'",
        "spinetrack-synth render --scenes yoga",
        "spinetrack-synth validate spinetrack-yoga-seed0 --images spinetrack-yoga-seed0/images",
    ]


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
    assert abs(np.linalg.det(names["L5_in_S1"]) - 1) < 1e-6
    assert set(names["hidden_by"].index) <= set(names["PARTS"])
    for kind, pixels in (
        ("parts", np.full((2, 3), 4, np.uint8)),
        ("depth", np.array([[0, 1500, 2000]], np.uint16)),
        ("normals", np.full((2, 3, 3), (255, 0, 128), np.uint8)),
    ):
        (tmp_path / "MAPS" / kind / "train").mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "MAPS" / kind / "train" / "000000.png")
    parts, depth, normals = names["read_maps"]("MAPS", "000000")
    assert names["PARTS"][parts[0, 0] - 1] == "abdomen"
    np.testing.assert_array_equal(depth, [[np.nan, 1.5, 2.0]])
    np.testing.assert_allclose(normals[0, 0], [1, 1, 0], atol=0.01)
    assert "pelvis_tilt" in names["names"]


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in (*PAGES, *TUTORIALS):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_options_of_render_are_those_of_the_readme() -> None:
    from spinetrack_synth.cli.render import command

    text = (ROOT / "README.md").read_text()
    for parameter in command.params:
        assert f"| `{parameter.opts[0]}` |" in text, parameter.opts[0]
