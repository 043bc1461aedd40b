"""The generated models agree with their tables, with OpenSim and with anatomy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from opensim_models import atlas
from opensim_models.build import (
    FILES,
    HERE,
    STANDING,
    TABLES,
    build,
    mirrored_name,
    standing_module,
    table,
)
from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import body_transforms, coordinates_from, marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.standing_keypoints import STANDING_M


@pytest.fixture(scope="module")
def tree() -> Tree:
    return load_model(fullbody_path())


@pytest.fixture(scope="module")
def standing(tree) -> dict[str, np.ndarray]:
    """Markers of the standing model, m."""
    return dict(zip(tree.marker_names, marker_positions(tree, tree.default_coordinates)))


# -- files and tables ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "coupled"), FILES.items())
def test_files_are_what_the_tables_say(name, coupled):
    built = build(coupled)
    assert built == build(coupled)
    assert (HERE / name).read_bytes() == built, "run python -m opensim_models.build"


def test_standing_keypoints_are_what_the_tables_say():
    found = STANDING.read_text(encoding="utf-8")
    assert found == standing_module(), "run python -m opensim_models.build"


def test_standing_keypoints_are_where_kinematics_have_them(standing):
    assert set(STANDING_M) == set(skeleton.NAMES)
    for name, place in STANDING_M.items():
        np.testing.assert_allclose(place, standing[name], rtol=0, atol=1e-6, err_msg=name)


def test_atlas_is_what_the_tables_say():
    assert atlas.PAGE.read_text(encoding="utf-8") == atlas.page(), (
        "run python -m opensim_models.atlas"
    )
    assert atlas.FIGURE.stat().st_size < 400_000


@pytest.mark.parametrize("name", sorted(path.stem for path in TABLES.glob("*.csv")))
def test_every_row_names_its_source(name):
    rows = table(name)
    assert rows
    for row in rows:
        assert row["source"].strip(), row


def test_masses_add_up(tree):
    total = 0.0
    for row in table("bodies"):
        twins = 1 if mirrored_name(row["body"]) == row["body"] else 2
        total += twins * float(row["mass_kg"])
    assert total == pytest.approx(75.0, abs=1e-9)
    assert tree.mass_kg.sum() == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize(("name", "coupled"), FILES.items())
def test_opens_in_opensim_without_a_warning(name, coupled, tmp_path):
    pytest.importorskip("opensim", reason="needs the extra [opensim]")
    code = (
        "import opensim, sys; model = opensim.Model(sys.argv[1]); state = model.initSystem();"
        "model.assemble(state); model.realizePosition(state)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(HERE / name)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = run.stdout + run.stderr + (tmp_path / "opensim.log").read_text()
    assert f"Loaded model {name.removesuffix('.osim')}" in said
    for line in said.splitlines():
        assert "[info]" in line, line


# -- anatomy ------------------------------------------------------------------------------------


def test_markers_are_the_keypoints_and_the_spinous_processes(tree):
    spinous = {row["marker"] for row in table("spinous_processes")}
    vertebrae = [body for body in tree.bodies if body[0] in "LTC" and body[1:].isdigit()]
    assert spinous == {f"{body}_spinous" for body in vertebrae} | {"S2_spinous"}
    assert set(tree.marker_names) == set(skeleton.NAMES) | spinous
    assert len(tree.marker_names) == 37 + 25


@pytest.mark.parametrize(
    ("name", "body"),
    [("spine_01", "L5"), ("spine_02", "L3"), ("spine_04", "T8"), ("spine_05", "T3"),
     ("neck", "C7"), ("neck_03", "C1")],
)  # fmt: skip
def test_vertebral_centres_lie_half_way_up_their_level(tree, name, body):
    length_m = {row["body"]: float(row["length_mm"] or 0) / 1e3 for row in table("spine")}
    index = tree.marker_index[name]
    assert tree.bodies[tree.marker_body[index]] == body
    np.testing.assert_allclose(tree.marker_offset_m[index], [0, length_m[body] / 2, 0], atol=1e-4)


@pytest.mark.parametrize(("name", "body"), [("spine_03", "T12"), ("neck_02", "C3")])
def test_disc_points_lie_in_the_joint_below(tree, name, body):
    index = tree.marker_index[name]
    assert tree.bodies[tree.marker_body[index]] == body
    np.testing.assert_array_equal(tree.marker_offset_m[index], 0)


def test_stature_and_proportions(tree, standing):
    assert standing["head"][1] == pytest.approx(1.75, abs=0.01)
    assert np.linalg.norm(standing["left_hip"] - standing["right_hip"]) == pytest.approx(0.17)
    soles = min(standing[f"right_{point}"][1] for point in ("heel", "big_toe", "small_toe"))
    assert 0 < soles < 0.02
    # Winter: segment lengths in fractions of stature.
    for upper, lower, fraction in (
        ("hip", "knee", 0.245), ("knee", "ankle", 0.246), ("shoulder", "elbow", 0.186),
        ("elbow", "wrist", 0.146),
    ):  # fmt: skip
        length = np.linalg.norm(standing[f"right_{upper}"] - standing[f"right_{lower}"])
        assert length / standing["head"][1] == pytest.approx(fraction, abs=0.02)


def test_the_standing_spine_is_an_s_with_the_head_over_the_pelvis(tree, standing):
    lean = {row["body"]: float(row["lean_deg"]) for row in table("spine")}
    # An apex is where the curve stands upright: L3/4 and T6/7.
    assert lean["L4"] > 0 > lean["L3"]
    assert lean["T6"] > 0 > lean["T7"]
    order = [row["body"] for row in table("spine")]
    joint_angles = np.diff([lean[body] for body in order])
    assert np.abs(np.diff(joint_angles)).max() < 10  # no kink: neighbours differ little
    ears = (standing["left_ear"] + standing["right_ear"]) / 2
    hips = (standing["left_hip"] + standing["right_hip"]) / 2
    assert abs(ears[0] - hips[0]) < 0.03
    skull = body_transforms(tree, tree.default_coordinates)[tree.body_index["skull"], :3, :3]
    np.testing.assert_allclose(skull, np.eye(3), atol=1e-9)
    # Sagittal vertical axis: C7 within 5 cm of the back of S1.
    sacrum = standing["hip"][0]
    assert abs(standing["neck"][0] - sacrum) < 0.05


def test_spinous_processes_lie_where_they_are_felt(standing):
    """Percent of the way from C7 to the posterior superior iliac spines (PMC3598670)."""
    percent = atlas.along_the_back({name: point[1] for name, point in standing.items()})
    measured = {"T4": 21.0, "T7": 39.0, "T10": 54.1, "L1": 70.9, "L4": 86.1}
    for level, expected in measured.items():
        assert percent[level] == pytest.approx(expected, abs=2.5)


def test_spinous_processes_lie_behind_their_vertebrae(tree):
    transforms = body_transforms(tree, tree.default_coordinates)
    length_m = {row["body"]: float(row["length_mm"] or 0) / 1e3 for row in table("spine")}
    for row in table("spinous_processes"):
        if row["body"] in ("sacrum", "C1"):
            continue
        tip = tree.marker_offset_m[tree.marker_index[row["marker"]]]
        behind = -(tip - [0, length_m[row["body"]] / 2, 0])[0]
        # Half the body, the canal (13-17 mm) and the process.
        assert 0.040 <= behind <= 0.072, row["marker"]
    assert np.all(np.diff(transforms[2:27, 1, 3]) > 0)


@pytest.mark.parametrize("motion", ["extension", "bending", "rotation"])
def test_shares_of_a_region_add_up_to_one(tree, motion):
    """At the master's limit the driven levels are at theirs, and all together make the master."""
    suffix = {"extension": "FE", "bending": "LB", "rotation": "AR"}[motion]
    for region in ("lumbar", "thoracic", "cervical", "upper_cervical"):
        master = f"{region}_{motion}"
        q = coordinates_from(tree, {master: 1.0})
        levels = [r["joint"] for r in table("range_of_motion") if r["region"] == region]
        driven = [q[tree.coordinate_index[f"{level}_{suffix}"]] for level in levels[1:]]
        axis = np.flatnonzero(tree.chain.axis_coordinate == tree.coordinate_index[master])
        assert len(axis) == 1
        own = tree.chain.piece_coefficient[tree.chain.piece_start[axis[0]], 1]
        assert own + sum(driven) == pytest.approx(1.0, abs=1e-9)


def test_yoga_fits_into_the_ranges(tree):
    """What the poses need at least, degrees."""
    needed = {
        "hip_flexion_r": (-30, 150), "hip_adduction_r": (-60, 30), "hip_rotation_r": (-70, 40),
        "knee_angle_r": (0, 155), "ankle_angle_r": (-55, 40), "mtp_angle_r": (-40, 80),
        "arm_flex_r": (-60, 180), "arm_add_r": (-180, 60), "arm_rot_r": (-90, 90),
        "elbow_flex_r": (0, 150), "pro_sup_r": (-10, 170), "wrist_flex_r": (-85, 85),
        "clavicle_elevation_r": (-10, 40), "clavicle_protraction_r": (-30, 30),
    }  # fmt: skip
    for name, (lower, upper) in needed.items():
        for side in (name, mirrored_name(name)):
            index = tree.coordinate_index[side]
            assert np.degrees(tree.lower[index]) <= lower + 1e-9
            assert np.degrees(tree.upper[index]) >= upper - 1e-9
            assert tree.clamped[index]
