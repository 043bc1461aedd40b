import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.poses.library import either_side, library, mirrored
from spinetrack_synth.poses.placement import ROTATION, indices, rotation_zxy
from spinetrack_synth.poses.sampling import blend, mirror, pose_coordinates, sample_pose

poses = st.sampled_from(list(library().values()))
seeds = st.integers(0, 2**32 - 1)


def assert_valid(tree, q):
    assert (q >= tree.lower - 1e-9).all() and (q <= tree.upper + 1e-9).all()
    assert tree.coupling @ q[tree.free_index] + tree.offset == pytest.approx(q, abs=1e-12)


@given(poses, seeds)
@settings(deadline=None)
def test_samples_are_within_the_limits_and_coupled(tree, pose, seed):
    rng = np.random.default_rng(seed)
    assert_valid(tree, sample_pose(tree, either_side(pose, rng), rng))


@given(poses, seeds)
@settings(deadline=None)
def test_the_same_seed_gives_the_same_sample(tree, pose, seed):
    one, other = (sample_pose(tree, pose, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(one, other)


def test_samples_vary_by_as_much_as_people_do(tree):
    pose = library()["utkatasana"]
    written = pose_coordinates(tree, pose)
    samples = np.array([sample_pose(tree, pose, np.random.default_rng(s)) for s in range(300)])
    spread = np.degrees(samples.std(axis=0))
    assert np.degrees(samples.mean(axis=0) - written)[tree.free_index] == pytest.approx(0, abs=1.5)
    for name, least, most in (("hip_flexion_r", 3, 5), ("lumbar_extension", 2, 4)):
        assert least < spread[tree.coordinate_index[name]] < most
    right, left = (samples[:, tree.coordinate_index[f"hip_flexion_{s}"]] for s in "rl")
    assert 0.4 < np.corrcoef(right, left)[0, 1] < 0.8


def test_a_pose_may_ask_for_its_own_variation(tree):
    from dataclasses import replace

    still = replace(library()["tadasana"], variation=dict.fromkeys(tree.free, 0.0))
    sampled = sample_pose(tree, still, np.random.default_rng(1))
    assert sampled == pytest.approx(pose_coordinates(tree, still))


@given(poses, seeds)
@settings(deadline=None)
def test_mirroring_twice_changes_nothing(tree, pose, seed):
    q = sample_pose(tree, pose, np.random.default_rng(seed))
    assert np.array_equal(mirror(tree, mirror(tree, q)), q)
    assert_valid(tree, mirror(tree, q))


@given(poses, seeds)
@settings(deadline=None)
def test_the_mirror_image_is_one_in_space(tree, pose, seed):
    q = sample_pose(tree, pose, np.random.default_rng(seed))
    twins = [
        tree.body_index[b[:-1] + {"r": "l", "l": "r"}[b[-1]] if b.endswith(("_r", "_l")) else b]
        for b in tree.bodies
    ]
    places = body_transforms(tree, q)[:, :3, 3]
    mirrored_places = body_transforms(tree, mirror(tree, q))[twins, :3, 3]
    assert mirrored_places == pytest.approx(places * (1, 1, -1), abs=1e-9)


@given(poses)
def test_mirroring_a_pose_mirrors_its_coordinates(tree, pose):
    expected = mirror(tree, pose_coordinates(tree, pose))
    assert pose_coordinates(tree, mirrored(pose)) == pytest.approx(expected, abs=1e-9)


@given(poses, poses, st.floats(0, 1))
@settings(deadline=None)
def test_blends_stay_within_the_limits(tree, one, other, t):
    a, b = pose_coordinates(tree, one), pose_coordinates(tree, other)
    assert_valid(tree, blend(tree, a, b, t))


@pytest.mark.slow
@given(poses, poses)
def test_blends_begin_and_end_with_their_poses(tree, one, other):
    a, b = pose_coordinates(tree, one), pose_coordinates(tree, other)
    for q, t in ((a, 0.0), (b, 1.0)):
        same = body_transforms(tree, blend(tree, a, b, t))
        assert same == pytest.approx(body_transforms(tree, q), abs=1e-9)


def test_the_pelvis_turns_evenly(tree):
    a = pose_coordinates(tree, library()["tadasana"])
    b = pose_coordinates(tree, library()["vasisthasana"])
    pelvis = indices(tree, ROTATION)
    ways = [rotation_zxy(blend(tree, a, b, t)[pelvis]) for t in np.linspace(0, 1, 6)]
    turns = [np.arccos((np.trace(p.T @ q) - 1) / 2) for p, q in zip(ways, ways[1:], strict=False)]
    assert turns == pytest.approx([turns[0]] * 5, rel=1e-6)


def test_the_clavicle_rises_with_the_arm(tree):
    def elevation(name):
        q = pose_coordinates(tree, library()[name])
        return np.degrees(q[tree.coordinate_index["clavicle_elevation_r"]])

    assert elevation("tadasana") == pytest.approx(0.0, abs=0.1)
    assert 8 < elevation("virabhadrasana_2") < 16
    assert 24 < elevation("urdhva_hastasana") < 32
