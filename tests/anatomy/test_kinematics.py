"""Forward kinematics by itself: derivatives, the mirror, conventions, names."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import (
    all_coordinates,
    body_transforms,
    body_transforms_batch,
    coordinates_from,
    marker_positions,
    point_jacobian,
)
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.errors import UserError

TREES = {coupled: load_model(fullbody_path(coupled)) for coupled in (True, False)}


@st.composite
def poses(draw) -> tuple[Tree, np.ndarray]:
    """A model and its free coordinates somewhere in their ranges (placement within 3 m)."""
    tree = TREES[draw(st.booleans())]
    lower = np.maximum(tree.lower, -3)[tree.free_index]
    upper = np.minimum(tree.upper, 3)[tree.free_index]
    return tree, np.random.default_rng(draw(st.integers(0, 2**32))).uniform(lower, upper)


@given(poses())
@settings(max_examples=20, deadline=None)
def test_jacobian_is_the_derivative(pose):
    tree, z = pose
    q = all_coordinates(tree, z)
    rng = np.random.default_rng(0)
    bodies = rng.integers(-1, len(tree.bodies), 12)
    offsets = rng.uniform(-0.2, 0.2, (12, 3))

    def points(at: np.ndarray) -> np.ndarray:
        body2world = np.concatenate([body_transforms(tree, at), np.eye(4)[None]])[bodies]
        return np.einsum("pij,pj->pi", body2world[:, :3, :3], offsets) + body2world[:, :3, 3]

    step = 1e-6
    numeric = np.stack(
        [(points(q + e) - points(q - e)) / (2 * step) for e in step * np.eye(len(q))], axis=-1
    )
    jacobian = point_jacobian(tree, q, bodies, offsets)
    assert jacobian.shape == (12, 3, len(tree.coordinates))
    np.testing.assert_allclose(jacobian, numeric, atol=1e-7)


@given(poses())
@settings(max_examples=50, deadline=None)
def test_mirrored_coordinates_give_mirrored_markers(pose):
    tree, z = pose
    values = dict(zip(tree.free, z))
    mirrored = marker_positions(
        tree, coordinates_from(tree, {twin(n): sign(n) * v for n, v in values.items()})
    )
    markers = marker_positions(tree, all_coordinates(tree, z))
    index = tree.marker_index
    names = tree.marker_names
    expected = markers[[index[twin(name)] for name in names]] * [1, 1, -1]
    np.testing.assert_allclose(mirrored, expected, atol=1e-12)


def twin(name: str) -> str:
    if name.startswith(("left_", "right_")):
        side, rest = name.split("_", 1)
        return {"left": "right_", "right": "left_"}[side] + rest
    return name[:-1] + {"r": "l", "l": "r"}[name[-1]] if name[-2:] in ("_r", "_l") else name


def sign(coordinate: str) -> int:
    """-1 for what leads out of the sagittal plane on the midline."""
    out_of_plane = ("bending", "rotation", "list", "tz", "_LB", "_AR")
    on_midline = not coordinate.endswith(("_r", "_l"))
    return -1 if on_midline and coordinate.endswith(out_of_plane) else 1


@given(poses())
@settings(max_examples=10, deadline=None)
def test_batch_equals_single(pose):
    tree, z = pose
    q = np.stack([all_coordinates(tree, f * z) for f in (0.0, 0.5, 1.0)])
    single = np.stack([body_transforms(tree, row) for row in q])
    np.testing.assert_array_equal(body_transforms_batch(tree, q), single)
    rotation = single[..., :3, :3]
    unit = np.broadcast_to(np.eye(3), rotation.shape)
    np.testing.assert_allclose(rotation @ np.swapaxes(rotation, -1, -2), unit, atol=1e-12)
    np.testing.assert_array_equal(
        single[..., 3, :], np.broadcast_to([0, 0, 0, 1.0], (3, len(tree.bodies), 4))
    )


# What docs/design.md promises: coordinate, a marker it moves, and where to
FORWARD, UP, RIGHT = np.eye(3)
CONVENTIONS = [
    ("pelvis_tilt", "head", -FORWARD),
    ("pelvis_list", "head", RIGHT),
    ("pelvis_rotation", "nose", -RIGHT),
    ("pelvis_tx", "nose", FORWARD),
    ("pelvis_ty", "nose", UP),
    ("pelvis_tz", "nose", RIGHT),
    *[
        (f"{region}_{motion}", marker, direction)
        for region in ("lumbar", "thoracic", "cervical", "upper_cervical")
        for motion, marker, direction in (
            ("extension", "head", -FORWARD),
            ("bending", "head", RIGHT),
            ("rotation", "nose", -RIGHT),
        )
    ],
    *[
        (f"{coordinate}_{side[0]}", f"{side}_{marker}", direction * [1, 1, lateral])
        for side, lateral in (("right", 1), ("left", -1))
        for coordinate, marker, direction in (
            ("hip_flexion", "knee", FORWARD),
            ("hip_adduction", "knee", -RIGHT),
            ("hip_rotation", "big_toe", -RIGHT),
            ("knee_angle", "ankle", -FORWARD),
            ("ankle_angle", "big_toe", UP),
            ("mtp_angle", "big_toe", UP),
            ("clavicle_elevation", "shoulder", UP),
            ("clavicle_protraction", "shoulder", FORWARD),
            ("arm_flex", "elbow", FORWARD),
            ("arm_add", "elbow", -RIGHT),
            ("elbow_flex", "wrist", FORWARD),
        )
    ],
]


@pytest.mark.parametrize(("coordinate", "marker", "direction"), CONVENTIONS)
def test_signs_are_those_of_the_design(coupled, coordinate, marker, direction):
    rest = marker_positions(coupled, coordinates_from(coupled, {}))
    value = coupled.default_coordinates[coupled.coordinate_index[coordinate]] + 0.1
    moved = marker_positions(coupled, coordinates_from(coupled, {coordinate: value}))
    step = (moved - rest)[coupled.marker_index[marker]]
    assert step @ direction > 0.5 * np.linalg.norm(step) > 0


@pytest.mark.parametrize(
    ("coordinate", "palm", "fingers"),
    [
        ("arm_rot", -RIGHT, -UP),  # internal: the palm turns to the thigh
        ("pro_sup", -RIGHT, -UP),
        ("wrist_flex", UP, FORWARD),
        ("wrist_dev", FORWARD, -RIGHT),  # ulnar: to the little finger, which is at the thigh
    ],
)
@pytest.mark.parametrize(("side", "lateral"), [("r", 1), ("l", -1)])
def test_signs_of_the_hand(coupled, coordinate, palm, fingers, side, lateral):
    """Where the palm (forward in the anatomical position) and the fingers point after 90 deg."""
    q = coordinates_from(coupled, {f"{coordinate}_{side}": np.pi / 2})
    hand = body_transforms(coupled, q)[coupled.body_index[f"hand_{side}"], :3, :3]
    mirror = np.array([1, 1, lateral])
    np.testing.assert_allclose(hand @ FORWARD, palm * mirror, atol=1e-9)
    np.testing.assert_allclose(hand @ -UP, fingers * mirror, atol=1e-9)


@pytest.mark.parametrize(("side", "medial"), [("r", -RIGHT), ("l", RIGHT)])
def test_inversion_turns_the_sole_to_the_other_foot(coupled, side, medial):
    q = coordinates_from(coupled, {f"subtalar_angle_{side}": 0.3})
    heel_bone = body_transforms(coupled, q)[coupled.body_index[f"calcn_{side}"], :3, :3]
    assert (heel_bone @ -UP) @ medial > 0.2


def test_three_axis_joints_turn_about_z_x_y(coupled):
    a, b, c = 0.3, -0.4, 0.5
    q = coordinates_from(coupled, {"pelvis_tilt": a, "pelvis_list": b, "pelvis_rotation": c})
    ca, sa, cb, sb, cc, sc = np.cos(a), np.sin(a), np.cos(b), np.sin(b), np.cos(c), np.sin(c)
    about_z = np.array([[ca, -sa, 0], [sa, ca, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cb, -sb], [0, sb, cb]])
    about_y = np.array([[cc, 0, sc], [0, 1, 0], [-sc, 0, cc]])
    pelvis = body_transforms(coupled, q)[coupled.body_index["pelvis"], :3, :3]
    np.testing.assert_allclose(pelvis, about_z @ about_x @ about_y, atol=1e-12)


def test_masters_are_totals(coupled):
    """A master turns the top of its region against the bottom by exactly its value."""
    ends = {"lumbar": ("sacrum", "T12"), "thoracic": ("T12", "T1"), "cervical": ("T1", "C2")}
    rest = body_transforms(coupled, coordinates_from(coupled, {}))[:, :3, :3]
    for region, (below, above) in ends.items():
        q = coordinates_from(coupled, {f"{region}_extension": -0.4})
        moved = body_transforms(coupled, q)[:, :3, :3]
        i, j = coupled.body_index[below], coupled.body_index[above]
        turned = (moved[i].T @ moved[j]) @ (rest[i].T @ rest[j]).T
        assert np.arctan2(turned[1, 0], turned[0, 0]) == pytest.approx(-0.4, abs=1e-9)


def test_keypoints_are_markers(coupled):
    assert set(skeleton.NAMES) <= set(coupled.marker_names)


def test_unknown_coordinate_names_the_nearest(coupled):
    with pytest.raises(UserError, match="did you mean 'knee_angle_r'"):
        coordinates_from(coupled, {"knee_angel_r": 0.1})


def test_driven_coordinate_names_its_master(coupled):
    with pytest.raises(UserError, match="lumbar_extension"):
        coordinates_from(coupled, {"L3_L4_FE": 0.1})


def test_reading_our_model_does_not_import_opensim():
    code = (
        "import sys;"
        "from spinetrack_synth.anatomy import kinematics, model, scaling, spine;"
        "model.load_model(model.fullbody_path()); assert 'opensim' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
