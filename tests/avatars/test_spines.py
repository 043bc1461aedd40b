"""Spines that are not normal: measured by means other than those that shape them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.body import known_subject, sample_subject
from spinetrack_synth.avatars.inside import skin_triangles, winding_number
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.avatars.rig import VERTEBRAE, vertebral_centres
from spinetrack_synth.avatars.spines import NORMAL, Spine, draw_spine

pytestmark = pytest.mark.slow

RIGHT = Spine("scoliosis", ("T12", "T5"), (40.0,))


def stands(spine: Spine) -> Avatar:
    subject = replace(sample_subject(7, 1), spine=spine)
    return bare_avatar(subject)


@pytest.fixture(scope="module")
def normal(body_data: BodyData) -> Avatar:
    return stands(NORMAL)


@pytest.fixture(scope="module")
def curved(body_data: BodyData) -> Avatar:
    return stands(RIGHT)


def slopes_deg(avatar: Avatar, forward: bool = False) -> np.ndarray:
    """Lean of the line through the vertebral centres, to the right or forward, level by level."""
    centres = vertebral_centres(avatar.rig.tree, avatar.rig.body2world)
    step = np.diff(centres, axis=0)
    return np.degrees(np.arctan2(step[:, 0 if forward else 2], step[:, 1]))


def test_the_declared_cobb_angle_is_that_of_the_places_of_the_vertebrae(curved: Avatar) -> None:
    physique = curved.physique
    assert physique.spine_condition == "scoliosis"
    assert physique.cobb_deg == pytest.approx(40.0, abs=0.5)
    assert np.ptp(slopes_deg(curved)) == pytest.approx(40.0, abs=3.0)
    assert (physique.curve_side, physique.apex_level) in {("right", f"T{k}") for k in (7, 8, 9, 10)}


def test_head_stays_over_the_pelvis_and_faces_forward(normal: Avatar, curved: Avatar) -> None:
    skull = curved.tree.body_index["skull"]
    now, before = curved.rig.body2world[skull], normal.rig.body2world[skull]
    assert np.abs(now[[0, 2], 3] - before[[0, 2], 3]).max() < 0.012
    np.testing.assert_allclose(now[:3, :3], before[:3, :3], atol=1e-6)


def test_the_skin_follows_with_a_hump_on_the_convex_side(normal: Avatar, curved: Avatar) -> None:
    """Spine to the right, vertebrae turned to the right: the ribs behind stand out on the right."""
    heights = vertebral_centres(curved.tree, curved.rig.body2world)[:, 1]
    level = heights[VERTEBRAE.index("T9")]

    def behind(avatar: Avatar, side: float) -> float:
        skin = avatar.binding.rest_world[: len(avatar.skin_body)]
        middle = vertebral_centres(avatar.tree, avatar.rig.body2world)[VERTEBRAE.index("T9"), 2]
        off = side * (skin[:, 2] - middle)
        near = (np.abs(skin[:, 1] - level) < 0.03) & (off > 0.065) & (off < 0.095)
        return float(skin[near, 0].min())

    assert behind(normal, 1.0) - behind(normal, -1.0) == pytest.approx(0.0, abs=0.002)
    # This is a heavy person: under so much flesh less of it shows.
    assert behind(curved, 1.0) - behind(curved, -1.0) < -0.004


@pytest.mark.parametrize("seed", range(4))
def test_vertebrae_lie_inside_the_shaped_skin(body_data: BodyData, seed: int) -> None:
    avatar = stands(draw_spine(50.0, np.random.default_rng(seed)))
    centres = vertebral_centres(avatar.tree, avatar.rig.body2world)[::3]
    wound = winding_number(centres, avatar.binding.rest_world, skin_triangles(body_data))
    assert (wound > 0.5).all()


def test_poses_add_to_the_shape(normal: Avatar, curved: Avatar) -> None:
    """The same bend turns the skull as much in both."""
    lumbar = curved.tree.coordinate_index["lumbar_bending"]
    turned = []
    for avatar in (normal, curved):
        tree, q = avatar.tree, avatar.rig.coordinates.copy()
        z = q[tree.free_index]
        z[tree.free.index("lumbar_bending")] += 0.2
        bent = body_transforms(tree, tree.coupling @ z + tree.offset)
        skull = tree.body_index["skull"]
        relative = bent[skull, :3, :3] @ avatar.rig.body2world[skull, :3, :3].T
        turned.append(np.arccos((np.trace(relative) - 1) / 2))
    assert lumbar >= 0
    assert turned == pytest.approx([0.2, 0.2], abs=0.01)


def test_the_other_conditions_are_what_they_are_called(normal: Avatar) -> None:
    forward = slopes_deg(normal, forward=True)
    bent = slopes_deg(stands(Spine("hyperkyphosis", kyphosis_deg=30.0)), forward=True)
    thorax = [VERTEBRAE.index("T12"), VERTEBRAE.index("T2")]
    assert np.diff((bent - forward)[thorax])[0] == pytest.approx(30.0, abs=4.0)
    short = stands(Spine("leg_length", short_leg_m=0.02))
    ankle = [short.rig.body2world[short.tree.body_index[f"talus_{s}"], 1, 3] for s in "rl"]
    assert ankle[0] - ankle[1] == pytest.approx(0.02, abs=0.001)
    stiff = stands(Spine("stiff", mobility=0.5)).tree
    knee, lumbar = (stiff.coordinate_index[n] for n in ("knee_angle_r", "lumbar_bending"))
    assert stiff.upper[knee] == normal.tree.upper[knee]
    assert stiff.upper[lumbar] == pytest.approx(0.5 * normal.tree.upper[lumbar])


def test_a_share_of_the_people_has_such_a_spine_and_ids_tell() -> None:
    people = [sample_subject(4, k, 0.15) for k in range(300)]
    shaped = [person for person in people if person.spine != NORMAL]
    assert 0.08 < len(shaped) / len(people) < 0.24
    for person in (*shaped[:5], *people[:5]):
        assert person.subject_id.endswith("p") == (person.spine != NORMAL)
        assert known_subject(person.subject_id) == person
    assert len({person.spine.condition for person in shaped}) > 4
