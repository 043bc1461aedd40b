"""Laboratories' marker sets on our own model: tables, recognition, and people of known size."""

from __future__ import annotations

import dataclasses
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions
from spinetrack_synth.anatomy.markers import with_markers
from spinetrack_synth.anatomy.model import Tree, fullbody_path
from spinetrack_synth.anatomy.scaling import scale_tree, with_marker_offsets
from spinetrack_synth.cli.ik import command
from spinetrack_synth.motion import marker_sets
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.fitting import fit
from spinetrack_synth.motion.landmark_scaling import PARTS
from spinetrack_synth.motion.marker_sets import landmarks, load_set, recognise, set_names
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.motion.trial import Request, prepare
from spinetrack_synth.skeleton import NAMES

pytestmark = pytest.mark.slow

SETS = ("cmu", "helen-hayes", "ior", "opencap", "plug-in-gait")

USUAL = {
    "plug-in-gait": "LFHD RFHD LBHD RBHD C7 T10 CLAV STRN RBAK LSHO LELB LWRA LWRB LFIN RSHO RELB "
    "RWRA RWRB RFIN LASI RASI LPSI RPSI LTHI LKNE LTIB LANK LHEE LTOE RTHI RKNE RTIB RANK RHEE "
    "RTOE",
    "cmu": "LFHD RFHD LBHD RBHD C7 T10 CLAV STRN RBAC LSHO LUPA LELB LFRM LWRA LWRB LFIN RSHO RUPA "
    "RELB RFRM RWRA RWRB RFIN LFWT RFWT LBWT RBWT LTHI LKNE LSHN LANK LHEE LTOE LMT5 RTHI RKNE "
    "RSHN RANK RHEE RTOE RMT5",
    "helen-hayes": "Top.Head Front.Head Rear.Head R.Shoulder R.Elbow R.Wrist L.Shoulder L.Elbow "
    "L.Wrist R.ASIS L.ASIS V.Sacral R.Thigh R.Knee R.Shank R.Ankle R.Heel R.Toe L.Thigh L.Knee "
    "L.Shank L.Ankle L.Heel L.Toe",
    "ior": "LIAS RIAS LIPS RIPS LFTC RFTC LFLE RFLE LFME RFME LFAX RFAX LTTC RTTC LFAL RFAL LTAM "
    "RTAM LFCC RFCC LFM1 RFM1 LFM2 RFM2 LFM5 RFM5",
    "opencap": "C7_study r_shoulder_study L_shoulder_study r.ASIS_study L.ASIS_study r.PSIS_study "
    "L.PSIS_study r_knee_study L_knee_study r_mknee_study L_mknee_study r_ankle_study "
    "L_ankle_study r_mankle_study L_mankle_study r_calc_study L_calc_study r_toe_study L_toe_study "
    "r_5meta_study L_5meta_study r_lelbow_study L_lelbow_study r_melbow_study L_melbow_study "
    "r_lwrist_study L_lwrist_study r_mwrist_study L_mwrist_study",
}  # fmt: skip
"""The markers that files of each set usually have."""


def test_tables_say_where_every_number_comes_from(tree: Tree) -> None:
    assert set_names() == SETS
    folder = files(marker_sets)
    rows = tomllib.loads(folder.joinpath("landmarks.toml").read_text())
    used = set()
    for name in SETS:
        table = tomllib.loads(folder.joinpath(f"{name}.toml").read_text())
        assert table["source"] and table["title"]
        used |= set(table["markers"].values())
    assert used == rows.keys() == landmarks().keys()
    assert all(row["source"] for row in rows.values())
    for at in landmarks().values():
        assert {at.body.replace("{side}", side) for side in "lr"} <= set(tree.bodies)
        assert np.linalg.norm(at.offset_m) < 0.45


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("spell", [str, str.lower, lambda marker: f"Anna:{marker}"])
def test_a_set_is_recognised_by_its_names(tree: Tree, name: str, spell) -> None:
    names = USUAL[name].split()
    assert set(names) <= load_set(name).landmarks.keys()
    found = recognise([spell(marker) for marker in [*names, "LKneeAngles", "*12"]], tree)
    assert found is not None and found.name == name


def test_our_own_markers_and_other_models_have_none(tree: Tree) -> None:
    assert recognise(tree.marker_names, tree) is None
    assert recognise(NAMES, tree) is None
    other = dataclasses.replace(tree, bodies=tuple(f"b{i}" for i in range(len(tree.bodies))))
    assert recognise(USUAL["plug-in-gait"].split(), other) is None


def test_left_mirrors_right(tree: Tree) -> None:
    names = USUAL["plug-in-gait"].split()
    tree = with_markers(tree, load_set("plug-in-gait").markers(names))
    at = dict(zip(tree.marker_names, marker_positions(tree, tree.default_coordinates)))
    for name in names:
        if name.startswith("L"):
            np.testing.assert_allclose(at[name], at[f"R{name[1:]}"] * [1, 1, -1], atol=1e-12)


def somebody(tree: Tree, name: str, seed: int) -> tuple[Tree, np.ndarray]:
    """A person of other proportions who wears the set: landmarks missed by 4 mm on each axis, the
    loose markers anywhere near; and the factors of the parts."""
    rng = np.random.default_rng(seed)
    one = load_set(name)
    worn = one.markers(USUAL[name].split())
    factors = np.ones((len(tree.bodies), 3))
    of_part = np.exp(rng.normal(0.05, 0.05, len(PARTS)))
    for (bodies, axes), factor in zip(PARTS, of_part):
        for axis in axes:
            factors[[tree.body_index[b] for b in bodies], "XYZ".index(axis)] = factor
    person = scale_tree(with_markers(tree, worn), factors)
    offsets = {
        m.name: person.marker_offset_m[person.marker_index[m.name]]
        + rng.normal(0, 0.004 if m.fixed else 0.03, 3)
        for m in worn
    }
    return with_marker_offsets(person, offsets), factors


def poses(tree: Tree, frames: int, swing: float) -> np.ndarray:
    """Standing with the arms off the body, then steps."""
    z = np.tile(tree.default_coordinates[tree.free_index], (frames, 1))
    phase = np.sin(np.linspace(0, 4 * np.pi, frames)) * swing
    for name, course in {
        "pelvis_ty": 0.99 + 0 * phase, "pelvis_tilt": 0.05 + 0.05 * phase,
        "hip_flexion_r": 0.1 + 0.5 * phase, "hip_flexion_l": 0.1 - 0.5 * phase,
        "knee_angle_r": 0.15 + 0.1 * phase, "knee_angle_l": 0.15 - 0.1 * phase,
        "arm_add_r": -0.5 + 0 * phase, "arm_add_l": -0.5 + 0 * phase,
        "elbow_flex_r": 0.4 + 0.2 * phase, "elbow_flex_l": 0.4 - 0.2 * phase,
        "lumbar_extension": -0.05 + 0.05 * phase, "lumbar_rotation": 0.05 * phase,
    }.items():  # fmt: skip
        z[:, tree.free.index(name)] = course
    return np.array([all_coordinates(tree, row) for row in z])


def recording(person: Tree, name: str, q: np.ndarray) -> MarkerMotion:
    rows = [person.marker_index[marker] for marker in USUAL[name].split()]
    points = np.array([marker_positions(person, row)[rows] for row in q])
    points += np.random.default_rng(9).normal(0, 0.0005, points.shape)
    return MarkerMotion(tuple(USUAL[name].split()), np.arange(len(q)) / 100, points)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_a_person_of_known_size_is_found_again(tree: Tree, tmp_path: Path, name: str) -> None:
    person, factors = somebody(tree, name, seed=3)
    write_trc(tmp_path / "static.trc", recording(person, name, poses(tree, 5, 0.0)))
    moving = poses(tree, 40, 1.0)
    write_trc(tmp_path / "walk.trc", recording(person, name, moving))
    request = Request(fullbody_path(), tmp_path / "walk.trc", static=tmp_path / "static.trc")
    trial = prepare(request)
    assert trial.model.lab is not None and trial.model.lab.name == name
    found = fit(trial)
    assert 1000 * found.rms_m < 8.0
    at = tree.body_index
    assert trial.model.person is not None
    for body in ("femur_r", "tibia_l"):
        ratio = trial.model.person.factors[at[body], 1] / factors[at[body], 1]
        assert ratio == pytest.approx(1.0, abs=0.03), body
    for coordinate, degrees in (("knee_angle_r", 6), ("hip_flexion_l", 6), ("ankle_angle_r", 8)):
        column = tree.coordinate_index[coordinate]
        apart = np.degrees(found.coordinates[:, column] - moving[:, column])
        assert np.sqrt(np.mean(apart**2)) < degrees, coordinate
        assert np.std(apart) < 2.0, coordinate  # offsets of markers stay, movements are right


def test_markers_of_the_static_trial_alone_and_of_the_trial_alone_are_used(
    tree: Tree, tmp_path: Path
) -> None:
    person, factors = somebody(tree, "ior", seed=6)
    inner = {"LFME", "RFME", "LTAM", "RTAM"}

    def write(name: str, q: np.ndarray, left_out: set[str]) -> None:
        whole = recording(person, "ior", q)
        kept = [i for i, marker in enumerate(whole.names) if marker not in left_out]
        names = tuple(whole.names[i] for i in kept)
        some = MarkerMotion(names, whole.times_s, whole.positions_m[:, kept])
        write_trc(tmp_path / name, some)

    write("static.trc", poses(tree, 5, 0.0), {"LFM5"})
    write("walk.trc", poses(tree, 20, 1.0), inner)
    request = Request(fullbody_path(), tmp_path / "walk.trc", static=tmp_path / "static.trc")
    trial = prepare(request)
    assert trial.model.person is not None and trial.model.person.static is not None
    assert inner <= set(trial.model.person.static.markers)
    found = fit(trial)
    assert "LFM5" in found.markers and not inner & set(found.markers)
    assert 1000 * found.rms_m < 8.0
    at = tree.body_index["tibia_r"]
    assert trial.model.person.factors[at, 1] == pytest.approx(factors[at, 1], rel=0.03)


def test_the_command_says_what_it_recognised(tree: Tree, tmp_path: Path) -> None:
    person, _ = somebody(tree, "plug-in-gait", seed=1)
    trial = recording(person, "plug-in-gait", poses(tree, 5, 0.2))
    trial.positions_m[:, trial.names.index("LFIN")] = 0.0
    write_trc(tmp_path / "walk.trc", trial)
    files_given = ["--markers", str(tmp_path / "walk.trc"), "--out", str(tmp_path / "out.mot")]
    said = CliRunner().invoke(command, files_given).output
    assert "34 markers are those of Plug-in Gait" in said
    assert "the model has its own size: give a static trial of the person as --scale" in said
    assert "at 0 0 0 in every frame, left out: LFIN" in said
    said = CliRunner().invoke(command, [*files_given, "--scale", str(tmp_path / "walk.trc")]).output
    assert "femur_r, femur_l" in said and "its own size" not in said


def test_c3d_files_are_fitted(tree: Tree, tmp_path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d", reason="C3D files need the extra motion")
    person, _ = somebody(tree, "plug-in-gait", seed=2)
    trial = recording(person, "plug-in-gait", poses(tree, 6, 0.3))
    document = ezc3d.c3d()
    document["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    document["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    document["parameters"]["POINT"]["LABELS"]["value"] = list(trial.names)
    x, y, z = 1000 * trial.positions_m.transpose(2, 1, 0)
    points = np.ones((4, len(trial.names), 6))
    points[:3] = x, -z, y  # Z up
    document["data"]["points"] = points
    document.write(str(tmp_path / "walk.c3d"))
    arguments = ["--markers", "walk.c3d", "--scale", "walk.c3d", "--out", "out.mot"]
    paths = [str(tmp_path / a) if "." in a else a for a in arguments]
    result = CliRunner().invoke(command, paths)
    assert result.exception is None
    assert "6 frames, 35 markers: RMS" in result.output
