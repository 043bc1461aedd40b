"""``motion`` and ``anatomy report`` on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from commands import Run

from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.files import write_motion


@pytest.fixture
def bend(tmp_path: Path) -> Path:
    """Five frames of bending forward."""
    tree = load_model(fullbody_path())
    values = np.zeros((5, len(tree.free)))
    values[:, tree.free.index("lumbar_extension")] = np.linspace(0, -0.6, 5)
    rotational = tree.rotational[tree.free_index]
    motion = CoordinateMotion(tree.free, np.arange(5) / 10, values, rotational)
    write_motion(tmp_path / "bend.mot", motion, tree)
    return tmp_path / "bend.mot"


def test_convert_there_and_back(run: Run, bend: Path) -> None:
    folder = bend.parent
    assert run("motion", "convert", bend, folder / "a.bvh").code == 0
    code, out, _ = run("motion", "convert", folder / "a.bvh", folder / "b.csv")
    assert (code, out) == (0, f"5 frames in {folder / 'b.csv'}\n")
    assert run("motion", "convert", bend, folder / "a.trc").code == 0
    assert run("motion", "convert", folder / "a.trc", folder / "c.mot").code == 0
    said = run("motion", "info", folder / "c.mot").out
    assert "5, 0 to 0.4 s, 10 a second" in said
    assert "lumbar_extension" in said


def test_plot_and_report(run: Run, bend: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra motion")
    code, out, _ = run("motion", "plot", bend, "--out", bend.with_suffix(".png"))
    assert (code, out) == (0, f"drawn in {bend.with_suffix('.png')}\n")
    page = bend.with_suffix(".html")
    code, out, _ = run("anatomy", "report", bend, "--out", page)
    assert code == 0
    assert "good    outside the range of a joint: 0.00 deg, at most 0.1" in out
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("motion", "info", "gone.bvh"), "gone.bvh: no such file"),
        (("motion", "info", "gone.fbx"), "gone.fbx: no motion format ends in '.fbx'"),
        (("motion", "convert", "bend.mot", "out.doc"), "out.doc: no motion format ends in '.doc'"),
        (
            ("motion", "convert", "bend.mot", "o.trc", "--skeleton", "unrael"),
            "no skeleton 'unrael'",
        ),
        (("motion", "plot", "bend.mot", "--out", "x.gif"), "x.gif: a plot ends in .png"),
        (("anatomy", "report", "."), "give one ground truth file"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(
    run: Run, bend: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple, message: str
) -> None:
    monkeypatch.chdir(bend.parent)
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("Error: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in bend.parent.iterdir()) == ["bend.mot"]


def test_a_missing_extra_names_its_pip_command(
    run: Run, bend: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    recording = bend.with_suffix(".c3d")
    recording.write_bytes(b"P")
    code, _, err = run("motion", "info", recording)
    assert code == 2
    assert "ezc3d" in err
    assert "pip install 'spinetrack-synth[motion]'" in err
