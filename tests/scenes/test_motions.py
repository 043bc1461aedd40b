"""People who perform motions in a scene."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.performance import Moment, Performance
from spinetrack_synth.scenes import Scene, load_scene, make_shot
from spinetrack_synth.scenes.placing import hold_moment

YOGA = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bow(cast) -> Performance:
    """Twenty frames of bowing while walking far away, high above the floor."""
    tree = cast.avatar(0).tree
    q = np.zeros((20, len(tree.coordinates)))
    for name, values in {
        "pelvis_tx": np.linspace(50, 60, 20),
        "pelvis_ty": np.full(20, 7.0),
        "hip_flexion_r": np.linspace(0, 0.5, 20),
    }.items():
        q[:, tree.coordinate_index[name]] = values
    return Performance("bow", np.arange(20) / 10, q)


def test_moments_rest_on_the_floor_about_the_origin(cast, bow: Performance) -> None:
    avatar = cast.avatar(0)
    stance = hold_moment(avatar, Moment("bow", bow.coordinates[9]))
    assert stance is not None
    person = avatar.posed(stance.q)
    assert person.skin_world[:, 1].min() == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(person.skin_world, stance.skin, atol=1e-5)
    index = avatar.tree.coordinate_index
    assert stance.q[[index["pelvis_tx"], index["pelvis_tz"]]].tolist() == [0, 0]
    kept = [i for name, i in index.items() if not name.startswith("pelvis_t")]
    np.testing.assert_array_equal(stance.q[kept], bow.coordinates[9][kept])


def test_limbs_that_run_into_each_other_are_refused(cast) -> None:
    avatar = cast.avatar(0)
    q = np.zeros(len(avatar.tree.coordinates))
    for name in ("hip_adduction_r", "hip_adduction_l"):
        q[avatar.tree.coordinate_index[name]] = 0.5
    assert hold_moment(avatar, Moment("knot", q)) is None


def test_shots_show_moments_and_are_pure(cast, yoga: Scene, bow: Performance) -> None:
    one, again = (
        make_shot(yoga, 3, 1, cast, subjects=(1, 1), performances=(bow,)) for _ in range(2)
    )
    assert one.people[0].pose.startswith("bow ")
    assert (one.place, one.variant, one.light) == (again.place, again.variant, again.light)
    assert one.people[0].pose == again.people[0].pose
    np.testing.assert_array_equal(one.people[0].coordinates, again.people[0].coordinates)
    other = make_shot(yoga, 4, 1, cast, subjects=(1, 1), performances=(bow,))
    assert other.people[0].pose != one.people[0].pose


def test_scenes_name_motions_beside_their_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(YOGA + '\n[motions]\n"walks/slow.bvh" = 2\n"fast.mot" = 1\n')
    scene = load_scene(path)
    assert dict(scene.motions) == {
        str(tmp_path / "walks/slow.bvh"): 2.0,
        str(tmp_path / "fast.mot"): 1.0,
    }
    assert replace(scene, motions={}).motions == load_scene("yoga").motions == {}


@pytest.mark.parametrize(
    ("motions", "message"),
    [
        ("motions = 3\n", "motions: 3 is no table of weights"),
        ('[motions]\n"a.bvh" = -1\n', "motions.a.bvh: -1 is no weight"),
        ('[motions]\n"a.bvh" = 0\n', "motions: no weight above 0"),
    ],
)
def test_wrong_motions_are_located(tmp_path: Path, motions: str, message: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text((motions + YOGA) if motions.startswith("motions") else YOGA + "\n" + motions)
    with pytest.raises(UserError, match=message):
        load_scene(path)
