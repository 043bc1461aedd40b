"""``motion`` and ``anatomy report`` on the command line."""

from __future__ import annotations

import errno
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
        (("anatomy", "report", "bend.mot", "--out", "x.pdf"), "end its name in .html"),
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


def scaled_bvh(source: Path, target: Path, factor: float) -> None:
    """A BVH file of ours in another unit: its offsets and positions times ``factor``."""
    import dataclasses

    from spinetrack_synth.motion.bvh import POSITIONS, read_bvh, write_bvh

    bvh = read_bvh(source)
    channels = [channel for joint in bvh.joints for channel in joint.channels]
    values = bvh.values * np.where(np.isin(channels, POSITIONS), factor, 1.0)
    joints = tuple(
        dataclasses.replace(joint, offset=tuple(factor * x for x in joint.offset))
        for joint in bvh.joints
    )
    write_bvh(target, dataclasses.replace(bvh, joints=joints, values=values))


@pytest.mark.parametrize(("factor", "unit"), [(10.0, "mm"), (1 / 2.54, "in"), (0.01, "m")])
def test_units_of_a_bvh_are_found_and_told(run: Run, bend: Path, factor: float, unit: str) -> None:
    folder = bend.parent
    run("motion", "convert", bend, folder / "cm.bvh")
    scaled_bvh(folder / "cm.bvh", folder / "a.bvh", factor)
    code, out, err = run("motion", "convert", folder / "a.bvh", folder / "a.mot")
    assert code == 0
    assert f"note: no unit is told: taken for {unit}, the figure is 1.69" in err
    assert "fitted to" in out and "RMS 0.0 mm" in out
    assert f"taken for {unit}" in run("motion", "info", folder / "a.bvh").out
    assert f"taken for {unit}" in run("anatomy", "report", folder / "a.bvh").out
    err = run("motion", "convert", folder / "a.bvh", folder / "a.mot", "--unit", "cm").err
    assert "told to be in cm, the figure is" in err or "times the model's size" in err


def test_what_a_fit_left_is_printed_and_reported(run: Run, bend: Path) -> None:
    folder = bend.parent
    run("motion", "convert", bend, folder / "a.csv")
    run("motion", "convert", bend, folder / "a.trc")
    out = run("motion", "convert", folder / "a.trc", folder / "b.mot").out
    assert "fitted to 62 points" in out
    assert "largest" in out
    said = run("anatomy", "report", folder / "b.mot").out
    assert "good    marker error, RMS of a frame" in said
    assert "as the file says of its fit" in said
    assert "fitted to 62 points" in run("motion", "info", folder / "b.mot").out


def test_another_models_motion_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "other.mot"
    rows = "".join(f"{k / 100}\t5.0{k}\t0.95\t-20.0{k}\t30.0{k}\n" for k in range(5))
    path.write_text(
        "Coordinates\nversion=1\nnRows=5\nnColumns=5\ninDegrees=yes\nendheader\n"
        "time\tpelvis_tilt\tpelvis_ty\tlumbar_extension\tknee_angle_r\n" + rows
    )
    code, out, _ = run("motion", "info", path)
    assert code == 0
    assert "-20.040 to   -20.000 deg" in out
    assert "read as degrees, as the file says: lumbar_extension" in out
    assert "note: read as degrees" in run("motion", "convert", path, tmp_path / "a.trc").err


@pytest.mark.parametrize("factor", [0.001, 1000.0])
def test_extents_that_no_person_has_are_remarked(run: Run, bend: Path, factor: float) -> None:
    folder = bend.parent
    run("motion", "convert", bend, folder / "a.trc")
    lines = (folder / "a.trc").read_text().splitlines()
    rows = [line.split("\t") for line in lines[6:]]
    scaled = ["\t".join([*r[:2], *(f"{factor * float(x):.9g}" for x in r[2:])]) for r in rows]
    (folder / "b.trc").write_text("\n".join(lines[:6] + scaled) + "\n")
    unit = "mm" if factor == 1000.0 else "m"
    assert "told to be in m, the figure is" in run("motion", "info", folder / "b.trc").out
    for command in (("motion", "convert", folder / "b.trc", folder / "b.mot"),
                    ("anatomy", "report", folder / "b.trc")):  # fmt: skip
        code, _, err = run(*command)
        assert code == 2
        assert f"times the model's size: wrong units, try --unit {unit}" in err
    if unit == "mm":
        assert (
            run("motion", "convert", folder / "b.trc", folder / "b.mot", "--unit", "mm").code == 0
        )


def test_a_full_disk_under_the_output_is_one_line(
    run: Run, bend: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("spinetrack_synth.motion.describing.describe", refuse)
    code, out, err = run("motion", "info", bend)
    assert (code, out, err) == (2, "", "Error: No space left on device\n")
