"""Regional angles: published neutral values, and what the masters add to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranges import within_ranges

from spinetrack_synth.anatomy.kinematics import coordinates_from
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.anatomy.spine import _extension_bending_rotation, regional_angles
from spinetrack_synth.errors import UserError

TREE = load_model(fullbody_path())


def test_neutral_angles_are_published_ones(coupled, free):
    for tree in (coupled, free):
        angles = regional_angles(tree, tree.default_coordinates)
        assert angles.lumbar_lordosis_deg == pytest.approx(49.8, abs=11.2)  # PMC6680033
        assert 20 <= angles.thoracic_kyphosis_deg <= 50
        assert 12.7 <= angles.cervical_lordosis_deg <= 18.6  # Cobb, posterior tangents: PMC6003173
        for region in ("lumbar", "thoracic", "cervical"):
            assert getattr(angles, f"{region}_bending_deg") == pytest.approx(0, abs=1e-9)
            assert getattr(angles, f"{region}_rotation_deg") == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("region", "angle", "sign", "levels"),
    [
        ("lumbar", "lumbar_lordosis_deg", 1, "L5_S1 L4_L5 L3_L4 L2_L3 L1_L2"),
        (
            "thoracic", "thoracic_kyphosis_deg", -1,
            "T11_T12 T10_T11 T9_T10 T8_T9 T7_T8 T6_T7 T5_T6 T4_T5 T3_T4",
        ),
        ("cervical", "cervical_lordosis_deg", 1, "C6_C7 C5_C6 C4_C5 C3_C4 C2_C3"),
    ],
)  # fmt: skip
def test_extension_adds_the_levels_shares(coupled, free, region, angle, sign, levels):
    """The levels of the free model, each at its share, add up to what the master does."""
    master = np.radians(-20)
    bent = coordinates_from(coupled, {f"{region}_extension": master})
    own = coupled.coordinate_index[f"{region}_extension"]
    total = 0.0
    for level in levels.split():
        index = coupled.coordinate_index.get(f"{level}_FE")
        driven_by_coupler = index is not None
        total += bent[index] if driven_by_coupler else bent[own] * coupled_share(coupled, own)
    change = getattr(regional_angles(coupled, bent), angle) - getattr(
        regional_angles(coupled, coupled.default_coordinates), angle
    )
    assert change == pytest.approx(sign * np.degrees(total), abs=1e-9)


def coupled_share(tree, coordinate: int) -> float:
    """The slope with which the lowest joint of a region follows its master."""
    axis = int(np.flatnonzero(tree.chain.axis_coordinate == coordinate)[0])
    return float(tree.chain.piece_coefficient[tree.chain.piece_start[axis], 1])


@given(st.floats(-3, 3), st.floats(-1.4, 1.4), st.floats(-1.4, 1.4))
@settings(deadline=None)
def test_decomposition_composes_again(sagittal, bend, turn):
    def about_z(angle: float) -> np.ndarray:
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])

    swing = np.hypot(bend, turn)
    x, y = (bend / swing, turn / swing) if swing else (1.0, 0.0)
    cross = np.array([[0, 0, y], [0, 0, -x], [-y, x, 0]])
    tilt = np.eye(3) + np.sin(swing) * cross + (1 - np.cos(swing)) * cross @ cross
    found = _extension_bending_rotation(about_z(sagittal / 2) @ tilt @ about_z(sagittal / 2))
    np.testing.assert_allclose(found, [sagittal, bend, turn], atol=1e-7)


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(-0.7, 0.7))
@settings(max_examples=30, deadline=None)
def test_the_mirror_turns_bending_and_rotation_only(extension, bending, rotation):
    here = {
        "thoracic_extension": extension,
        "thoracic_bending": bending,
        "thoracic_rotation": rotation,
    }
    there = here | {"thoracic_bending": -bending, "thoracic_rotation": -rotation}
    a = regional_angles(TREE, coordinates_from(TREE, here))
    b = regional_angles(TREE, coordinates_from(TREE, there))
    assert a.thoracic_kyphosis_deg == pytest.approx(b.thoracic_kyphosis_deg, abs=1e-6)
    assert a.thoracic_bending_deg == pytest.approx(-b.thoracic_bending_deg, abs=1e-6)
    assert a.thoracic_rotation_deg == pytest.approx(-b.thoracic_rotation_deg, abs=1e-6)


def test_a_model_without_endplates_says_so(tmp_path):
    path = tmp_path / "m.osim"
    path.write_text(
        '<OpenSimDocument Version="40500"><Model name="stick"><BodySet><objects>'
        '<Body name="bone"/></objects></BodySet><JointSet><objects><WeldJoint name="j">'
        "<socket_parent_frame>/ground</socket_parent_frame>"
        "<socket_child_frame>/bodyset/bone</socket_child_frame>"
        "</WeldJoint></objects></JointSet></Model></OpenSimDocument>"
    )
    tree = load_model(path)
    with pytest.raises(UserError, match="stick has no frame sacrum/superior_endplate"):
        regional_angles(tree, tree.default_coordinates)


def test_masters_within_range_keep_every_level_within_its_own(coupled):
    for end in (coupled.lower, coupled.upper):
        masters = {n: float(end[coupled.coordinate_index[n]]) for n in coupled.free[6:18]}
        assert within_ranges(coupled, coordinates_from(coupled, masters))
