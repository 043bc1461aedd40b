"""A model scaled and its markers placed, as OpenSim's ScaleTool does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from leg import MARKERS, write_leg, write_marker_set, write_scale_setup

from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions
from spinetrack_synth.anatomy.markers import read_marker_set
from spinetrack_synth.anatomy.measure import KEYPOINT_MEASUREMENTS
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.scale_setup import read_scale_setup
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.cli.ik import command
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.models import Model, open_model
from spinetrack_synth.motion.scaling import offsets_at, scaled_to_trial
from spinetrack_synth.motion.storage import read_coordinates
from spinetrack_synth.motion.trc import read_trc, write_trc
from spinetrack_synth.motion.trial import Request, as_person


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A leg, its markers, a static trial of somebody larger, and a ScaleTool set-up."""
    write_leg(tmp_path / "leg.osim")
    write_marker_set(tmp_path / "markers.xml", 30000)
    tree = open_model(tmp_path / "leg.osim", (tmp_path / "markers.xml",)).tree
    person = scale_tree(tree, [[1.1, 0.9, 1.05], [1.0, 1.12, 1.12], [1.0, 1.0, 1.0]])
    z = np.array([0.05, -0.02, 0.1, 0.3, 0.95, 0.1, 0.1, -0.05, 0.05, 0.12])
    rng = np.random.default_rng(4)
    points = marker_positions(person, all_coordinates(person, z)) + rng.normal(0, 0.01, (8, 3))
    recording = points + rng.normal(0, 0.002, (50, 8, 3))
    recording[12:20, 2] = np.nan
    static = MarkerMotion(tree.marker_names, np.arange(50) / 100, recording)
    write_trc(tmp_path / "static.trc", static, "mm")
    write_scale_setup(tmp_path / "scale.xml")
    return tmp_path


def scaled(folder: Path, **changes: object) -> Model:
    setup = read_scale_setup(write_scale_setup(folder / "scale.xml", **changes))  # type: ignore[arg-type]
    assert setup.model and setup.marker_set
    model = open_model(setup.model, (setup.marker_set,))
    return as_person(model, Request(setup.model, Path(), scale_setup=setup))


def test_measurements_and_manual_scales_in_their_order(folder: Path) -> None:
    def factors(order: str) -> dict[str, list[float]]:
        model = scaled(folder, order=order, placer=False)
        assert model.person
        return dict(zip(model.tree.bodies, model.person.factors.tolist()))

    manual_last, manual_first = (
        factors(order) for order in ("measurements manualScale", "manualScale measurements")
    )
    assert manual_last["pelvis"] == [1.1, 0.9, 1.05]
    assert manual_first["pelvis"][0] == manual_first["pelvis"][1] != 1.1
    assert manual_last["thigh"][0] == 1.0  # only Y and Z are measured
    assert manual_last["thigh"][1] == manual_last["thigh"][2] == pytest.approx(1.12, abs=0.08)
    assert factors("manualScale")["thigh"] == [1.0, 1.0, 1.0]


def test_what_nothing_measures_keeps_its_size_and_is_told(folder: Path) -> None:
    model = scaled(folder)
    person = model.person
    assert person is not None
    assert [b for b, m in zip(model.tree.bodies, person.measured) if not m] == ["shank"]
    np.testing.assert_array_equal(person.factors[model.tree.body_index["shank"]], 1.0)
    (remark,) = (text for text in person.remarks if "lost" in text)
    assert "left out, as OpenSim does: the model has no marker NOWHERE" in remark


@pytest.mark.parametrize("preserve", [True, False])
def test_masses_add_up_to_the_persons(folder: Path, preserve: bool) -> None:
    tree = scaled(folder, preserve=preserve).tree
    assert tree.mass_kg.sum() == pytest.approx(33.0)
    kept = tree.mass_kg[tree.body_index["shank"]] / tree.mass_kg.sum()
    assert bool(kept == pytest.approx(0.2)) is preserve


def test_markers_that_are_not_fixed_are_placed_where_they_were_measured(folder: Path) -> None:
    model = scaled(folder)
    person = model.person
    assert person and person.pose and person.static
    recording = read_trc(folder / "static.trc").positions_m[10:31]
    points = marker_positions(model.tree, person.pose.values[0])
    for name, (_, _, fixed) in MARKERS.items():
        row = model.tree.marker_index[name]
        apart_m = np.linalg.norm(points[row] - np.nanmean(recording[:, row], axis=0))
        assert bool(apart_m < 1e-9) is not fixed, name
    assert person.static.markers == ("ASI", "PSI", "THI", "KNE", "ANK")


def test_markers_that_the_static_trial_lacks_are_taken_off(folder: Path) -> None:
    static = read_trc(folder / "static.trc")
    some = dataclasses.replace(
        static, names=static.names[:-1], positions_m=static.positions_m[:, :-1]
    )
    write_trc(folder / "static.trc", some)
    assert set(MARKERS) - set(scaled(folder).tree.marker_names) == {"TOE"}


def test_restless_markers_are_told(folder: Path) -> None:
    static = read_trc(folder / "static.trc")
    static.positions_m[20, 5, 1] += 0.05
    write_trc(folder / "static.trc", static, "mm")
    person = scaled(folder, movement=30.0).person
    assert person
    assert "moved by more than 30 mm while they are averaged" in person.remarks[-1]
    assert "TIB 5" in person.remarks[-1] and "ASI" not in person.remarks[-1]


@pytest.mark.parametrize("preserve", [True, False])
@pytest.mark.parametrize("span", ["0.1 0.3", "0.095 0.304", "-1 9"])
def test_opensims_scale_tool_gives_the_same(folder: Path, preserve: bool, span: str) -> None:
    opensim = pytest.importorskip("opensim", reason="OpenSim's own ScaleTool is compared with")
    static = read_trc(folder / "static.trc")  # without gaps, for which OpenSim's pose is NaN
    filled = np.where(np.isnan(static.positions_m), static.positions_m[0], static.positions_m)
    write_trc(folder / "static.trc", dataclasses.replace(static, positions_m=filled), "mm")
    model = scaled(folder, preserve=preserve, span=span)
    opensim.Logger.setLevelString("Off")
    opensim.Logger.removeFileSink()
    assert opensim.ScaleTool(str(folder / "scale.xml")).run()
    theirs = load_model(folder / "placed.osim")
    assert theirs.marker_names == model.tree.marker_names
    for theirs_of, ours_of in (
        (theirs.chain.joint_in_parent, model.tree.chain.joint_in_parent),
        (theirs.mass_kg, model.tree.mass_kg),
    ):
        np.testing.assert_allclose(ours_of, theirs_of, atol=1e-9)
    # OpenSim stops before it is at the best pose: at its pose the markers must be the same.
    pose = read_coordinates(folder / "static.mot", theirs)
    assert model.person and model.person.pose
    np.testing.assert_allclose(model.person.pose.values[0], pose.values[0], atol=0.05)
    generic = open_model(folder / "leg.osim", (folder / "markers.xml",))
    times = static.times_s
    first, last = map(float, span.split())
    begin = max(int(np.searchsorted(times, first, side="right")) - 1, 0)
    end = min(int(np.searchsorted(times, last)), len(times) - 1)
    mean = read_trc(folder / "static.trc").positions_m[begin : end + 1].mean(axis=0)
    loose = {n: p for n, p in zip(static.names, mean) if n not in generic.fixed}
    placed = offsets_at(scale_tree(generic.tree, model.person.factors), pose.values[0], loose)
    for name, offset in placed.items():
        np.testing.assert_allclose(
            offset, theirs.marker_offset_m[theirs.marker_index[name]], atol=1e-7
        )


Ik = Callable[..., str]


@pytest.fixture
def run_ik() -> Ik:
    def call(*arguments: object) -> str:
        result = CliRunner().invoke(command, [*map(str, arguments)])
        if result.exception:
            raise result.exception
        return result.output

    return call


def test_a_setup_alone_writes_the_model_and_the_pose(folder: Path, run_ik: Ik) -> None:
    pytest.importorskip("opensim", reason="OpenSim writes the scaled model")
    said = run_ik("--scale-setup", folder / "scale.xml")
    assert "scaled by 1.1000 0.9000 1.0500: pelvis" in said
    assert "not measured, scaled by 1: shank" in said
    assert "static pose, before markers are moved: RMS" in said
    model = scaled(folder)
    written = load_model(folder / "placed.osim")
    assert written.marker_names == model.tree.marker_names
    np.testing.assert_allclose(written.marker_offset_m, model.tree.marker_offset_m, atol=1e-9)
    fixed = {marker.name: marker.fixed for marker in read_marker_set(folder / "placed.osim")}
    assert fixed == {name: fixed for name, (_, _, fixed) in MARKERS.items()}
    assert model.person and model.person.pose
    pose = read_coordinates(folder / "static.mot", written)
    np.testing.assert_allclose(pose.values, model.person.pose.values, atol=1e-7)


def test_a_trial_is_fitted_with_the_scaled_model_by_both(folder: Path, run_ik: Ik) -> None:
    pytest.importorskip("opensim", reason="OpenSim's tool is compared with")
    said = run_ik(
        "--scale-setup", folder / "scale.xml", "--markers", folder / "static.trc",
        "--check", 5, "--out", folder / "out.mot",
    )  # fmt: skip
    assert "OpenSim on frames 23 to 27: coordinates differ by 0.0" in said
    assert (folder / "out_scaled.osim").is_file()


def test_a_setup_in_a_static_trials_place_is_told(folder: Path, run_ik: Ik) -> None:
    with pytest.raises(UserError, match="takes a static trial: give a set-up as --scale-setup"):
        run_ik("--scale", folder / "scale.xml", "--markers", folder / "static.trc")


def test_a_static_trial_may_be_given_in_place_of_the_setups(folder: Path, run_ik: Ik) -> None:
    write_scale_setup(folder / "scale.xml", static="Unassigned", span="80 81")
    with pytest.raises(UserError, match="ModelScaler names no marker_file: give --scale"):
        run_ik("--scale-setup", folder / "scale.xml")
    setup = read_scale_setup(folder / "scale.xml")
    model = open_model(folder / "leg.osim", (folder / "markers.xml",))
    request = Request(
        model.path, Path(), scale_setup=setup, static=folder / "static.trc", mass_kg=50.0
    )
    person = as_person(model, request).person
    assert person and person.tree.mass_kg.sum() == pytest.approx(50.0)
    assert any("range 80 to 81 s: all of it is taken" in text for text in person.remarks)
    write_scale_setup(folder / "scale.xml", span="80 81")
    with pytest.raises(UserError, match=r"holds 0 to 0.49 s, nothing of the set-up's time range"):
        run_ik("--scale-setup", folder / "scale.xml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ScaleTool", "OtherTool", "no <ScaleTool> in it"),
        ("measurements manualScale", "measurements byHand", "'byHand' is neither"),
        ("1.1 0.9 1.05", "1.1 -0.9 1.05", "manual scale of pelvis: 1.1 -0.9 1.05: give above 0"),
        ("1.1 0.9 1.05", "1.1 0.9", "manual scale of pelvis holds 2 numbers, expected 3"),
        (" ASI KNE ", " ASI ", "measurement thigh: a pair of markers holds 1 names"),
        (">33<", ">heavy<", "mass: 'heavy' is no number"),
        ("leg.osim", "Unassigned", "names no model: give --model"),
    ],
)
def test_bad_setups_are_told_in_one_line(
    folder: Path, run_ik: Ik, old: str, new: str, message: str
) -> None:
    path = folder / "scale.xml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=message) as caught:
        run_ik("--scale-setup", path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_set_in_a_file_of_its_own_is_read(folder: Path) -> None:
    path = folder / "scale.xml"
    text = path.read_text()
    begin, end = text.index("<MeasurementSet>"), text.index("</MeasurementSet>") + 17
    (folder / "sets.xml").write_text(f"<OpenSimDocument>{text[begin:end]}</OpenSimDocument>")
    inline = read_scale_setup(path)
    path.write_text(f"{text[:begin]}<MeasurementSet file='sets.xml'/>{text[end:]}")
    apart = read_scale_setup(path)
    assert inline.scaler and apart.scaler
    assert apart.scaler.measurements == inline.scaler.measurements


def test_our_model_keeps_the_size_of_what_a_trial_does_not_measure() -> None:
    tree: Tree = load_model(fullbody_path())
    rows = [
        tree.marker_index[f"{side}_{joint}"]
        for side in ("left", "right")
        for joint in ("hip", "knee", "ankle")
    ]
    points = 1.1 * marker_positions(tree, tree.default_coordinates)[rows]
    static = MarkerMotion(tuple(tree.marker_names[i] for i in rows), np.zeros(1), points[None])
    person = scaled_to_trial(tree, static, None, KEYPOINT_MEASUREMENTS)
    np.testing.assert_allclose(person.factors[tree.body_index["femur_l"]], 1.1)
    np.testing.assert_array_equal(person.factors[tree.body_index["L3"]], 1.0)
    assert not person.measured[tree.body_index["L3"]]
