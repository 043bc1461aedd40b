"""Reports on anatomy: planted faults are found, clean motions pass."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from pages import SCRIPT, check_page

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.inspection import Check, Inspection, inspect_motion, inspect_rendered
from spinetrack_synth.motion.model_motion import marker_motion
from spinetrack_synth.motion.report_page import verdict, write_report


@pytest.fixture
def markers(tree: Tree, steps: CoordinateMotion) -> MarkerMotion:
    return marker_motion(tree, steps)


def check(inspection: Inspection, title: str) -> Check:
    (found,) = (c for c in inspection.checks if c.title.startswith(title))
    return found


def changed(markers: MarkerMotion, name: str, shift_m: np.ndarray) -> MarkerMotion:
    positions_m = markers.positions_m.copy()
    positions_m[:, markers.names.index(name)] += shift_m
    return dataclasses.replace(markers, positions_m=positions_m)


def test_clean_coordinates_pass(tree: Tree, steps: CoordinateMotion) -> None:
    inspection = inspect_motion(steps, tree)
    assert [c.title for c in inspection.checks if not c.passed and not c.remark] == []
    assert check(inspection, "outside the range").value == 0
    spine = next(c for c in inspection.curves if c.title.startswith("Spine: lordosis"))
    lumbar = spine.values[:, spine.names.index("lumbar lordosis")]
    extension = steps.values[:, tree.free.index("lumbar_extension")]
    # L1-S1 is all of the lumbar region but the joint between T12 and L1.
    share = np.ptp(lumbar) / np.degrees(np.ptp(extension))
    assert 0.8 < share < 1.0
    assert np.corrcoef(lumbar, extension)[0, 1] > 0.999


def test_a_knee_bent_too_far_is_found(tree: Tree, steps: CoordinateMotion) -> None:
    values = steps.values.copy()
    column = tree.free.index("knee_angle_r")
    values[4, column] = tree.upper[tree.coordinate_index["knee_angle_r"]] + np.radians(7.0)
    found = check(inspect_motion(dataclasses.replace(steps, values=values), tree), "outside")
    assert found.value == pytest.approx(7.0, abs=1e-6)
    assert "knee_angle_r by 7.0; in 8.3% of the frames" in found.worst
    assert verdict(found) == "bad"


def test_uneven_legs_are_remarked(tree: Tree, steps: CoordinateMotion) -> None:
    found = check(inspect_motion(steps, tree), "range of movement")
    assert not found.passed
    assert verdict(found) == "remark"


def test_clean_markers_pass(tree: Tree, markers: MarkerMotion) -> None:
    inspection = inspect_motion(markers, tree)
    assert [c.title for c in inspection.checks if not c.passed and not c.remark] == []
    assert check(inspection, "marker error, largest").value < 3
    assert check(inspection, "segment length, standard").value < 0.1


def test_a_misplaced_marker_is_found(tree: Tree, markers: MarkerMotion) -> None:
    spike = np.zeros((len(markers.times_s), 3))
    spike[7] = (0.0, 0.15, 0.0)
    found = check(inspect_motion(changed(markers, "left_ear", spike), tree), "marker error, la")
    assert not found.passed
    assert found.worst == f"left_ear at {markers.times_s[7]:.3f} s"


def test_a_stretching_segment_is_found(tree: Tree, markers: MarkerMotion) -> None:
    wobble = np.zeros((len(markers.times_s), 3))
    wobble[::2, 1] = 0.06
    inspection = inspect_motion(changed(markers, "right_wrist", wobble), tree)
    found = check(inspection, "segment length, standard")
    assert not found.passed
    assert "right forearm" in found.worst


def test_unequal_sides_are_found(tree: Tree, steps: CoordinateMotion) -> None:
    upright = dataclasses.replace(steps, values=np.zeros_like(steps.values))
    markers = changed(marker_motion(tree, upright), "right_ankle", np.array([0.0, -0.05, 0.0]))
    found = check(inspect_motion(markers, tree), "segment length, left")
    assert found.value == pytest.approx(50, abs=0.5)
    assert found.worst.startswith("shank: left")


@pytest.mark.slow
def test_the_page_needs_no_other_file(tmp_path: Path, tree: Tree, steps: CoordinateMotion) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra motion")
    named = dataclasses.replace(steps, source="<steps> & more.mot")
    inspection = inspect_motion(named, tree)
    write_report(tmp_path / "report.html", inspection)
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(inspection.curves)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "&lt;steps&gt; &amp; more.mot" in page
    for found in inspection.checks:
        assert f"{found.value:.2f} {found.unit}" in page


def test_names_cannot_break_out_of_the_page(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra motion")
    named = dataclasses.replace(steps, source=f"{SCRIPT}.mot", notes=(SCRIPT,))
    found = inspect_motion(named, tree)
    checks = [dataclasses.replace(c, title=SCRIPT, worst=SCRIPT) for c in found.checks]
    curves = [
        dataclasses.replace(c, title=SCRIPT, names=tuple(SCRIPT for _ in c.names))
        for c in found.curves
    ]
    found = dataclasses.replace(found, subject=SCRIPT, checks=checks, curves=curves)
    write_report(tmp_path / "report.html", found)
    check_page((tmp_path / "report.html").read_text())


def test_a_folder_without_ground_truth_is_told(tmp_path: Path, tree: Tree) -> None:
    with pytest.raises(UserError, match="give one ground truth file; there is none"):
        inspect_rendered(tmp_path, tree)


def test_rendered_people_are_inspected(tmp_path: Path, tree: Tree) -> None:
    from fakes import BallRenderer, ball_source

    from spinetrack_synth.dataset import DatasetConfig, run_dataset
    from spinetrack_synth.motion.files import read_motion

    out = tmp_path / "OUT"
    run_dataset(
        DatasetConfig(scene="balls", count=2, size=(64, 48)),
        out,
        open_source=ball_source,
        open_renderer=lambda backend: BallRenderer(),
    )
    inspection = inspect_rendered(out, tree)
    assert check(inspection, "marker error, largest").value < 1e-6
    assert "rendered people" in inspection.subject
    truth = out / "ground_truth" / "train.parquet"
    posed = read_motion(truth, tree, coordinates=True)
    points = read_motion(truth, tree)
    assert isinstance(posed, CoordinateMotion)
    assert isinstance(points, MarkerMotion)
    assert len(posed.times_s) == len(points.times_s) == inspection.frames
    assert points.names[0] == "nose"


def test_a_converted_motion_keeps_its_residuals(
    tmp_path: Path, tree: Tree, markers: MarkerMotion
) -> None:
    from spinetrack_synth.motion.files import read_motion, write_motion

    spike = np.zeros((len(markers.times_s), 3))
    spike[7] = (0.0, 0.15, 0.0)
    write_motion(tmp_path / "fit.mot", changed(markers, "left_ear", spike), tree)
    inspection = inspect_motion(read_motion(tmp_path / "fit.mot", tree), tree)
    largest = check(inspection, "marker error, largest")
    assert not largest.passed
    assert largest.worst == f"left_ear at {markers.times_s[7]:.3f} s"
    assert "as the file says of its fit" in check(inspection, "marker error, RMS").worst


def test_a_guess_is_told_on_the_page(tmp_path: Path, tree: Tree, markers: MarkerMotion) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra motion")
    seventeen = MarkerMotion(
        markers.names[:17], markers.times_s, markers.positions_m[:, :17], "a.csv", ("odd & told",)
    )
    inspection = inspect_motion(seventeen, tree)
    assert check(inspection, "spine angle").worst.startswith("a guess: ")
    write_report(tmp_path / "report.html", inspection)
    page = (tmp_path / "report.html").read_text()
    assert "<li>the spine is a guess" in page
    assert "<li>odd &amp; told" in page
    assert page.index("<li>") < page.index("<table>")


def test_points_at_zero_shorten_no_segment(tree: Tree, markers: MarkerMotion) -> None:
    positions_m = markers.positions_m.copy()
    positions_m[4, markers.names.index("right_wrist")] = 0.0
    inspection = inspect_motion(dataclasses.replace(markers, positions_m=positions_m), tree)
    assert check(inspection, "segment length, standard").passed
    assert any("at 0 0 0 in up to 1 frames" in note for note in inspection.notes)
