"""Clips of mannequins: no jumps, feet that stay, cameras that keep to their room, purity."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.poses.library import library
from spinetrack_synth.scenes import make_clip
from spinetrack_synth.scenes.camera_paths import FIXED, WEIGHTS, film
from spinetrack_synth.scenes.clips import Clip
from spinetrack_synth.scenes.places import place
from spinetrack_synth.scenes.placing import take_stance
from spinetrack_synth.scenes.trajectories import minimum_jerk, pose_to_pose
from spinetrack_synth.skeleton import INDEX

SIZE = (640, 480)
TIMES_S = np.arange(16) / 8
FPS = 8.0


@pytest.fixture(scope="module")
def clips(yoga, cast) -> list[Clip]:
    return [make_clip(yoga, 3, n, cast, SIZE, (1, 1), TIMES_S) for n in range(2)]


def names(clip: Clip) -> list[str]:
    poses = clip.trajectories[0].poses
    return [pose for k, pose in enumerate(poses) if k == 0 or pose != poses[k - 1]]


def test_people_go_from_pose_to_pose(clips) -> None:
    assert any(len(names(clip)) > 1 for clip in clips)
    for clip in clips:
        for name in names(clip):
            assert all(pose in library() for pose in name.split(" to "))


def test_nobody_jumps_or_hurries(clips) -> None:
    for clip in clips:
        shots = [clip.moment(frame) for frame in range(len(TIMES_S))]
        people = np.array([shot.people[0].keypoints_world for shot in shots])
        speed = np.linalg.norm(np.diff(people, axis=0), axis=2).max(axis=1) * FPS
        assert speed.max() < 4.0  # m/s, of any keypoint
        tree = clip.trajectories[0].avatar.tree
        turning = [i for i, name in enumerate(tree.coordinates) if not name.startswith("pelvis")]
        q = np.array([shot.people[0].coordinates for shot in shots])[:, turning]
        assert np.degrees(np.abs(np.diff(q, axis=0))).max() * FPS < 400
        within = (tree.lower - 1e-9 <= shots[5].people[0].coordinates) & (
            shots[5].people[0].coordinates <= tree.upper + 1e-9
        )
        assert within[turning].all()


def test_people_stay_on_the_floor(clips) -> None:
    for clip in clips:
        for frame in range(0, len(TIMES_S), 3):
            lowest = clip.moment(frame).people[0].skin_world[:, 1].min()
            assert abs(lowest) < 1e-3


def test_what_two_poses_share_on_the_floor_stays_there(cast) -> None:
    """Seen by the heels: feet that both poses stand on slide by centimetres at most."""
    rng = np.random.default_rng(0)
    stance = take_stance(cast.avatar(0), library()["utkatasana"], rng)
    families = {"standing": 1.0, "forward_bend": 1.0}
    times_s = np.arange(36) / 6
    there = pose_to_pose(stance, families, times_s, lambda skin: True, rng)
    heels = [INDEX["left_heel"], INDEX["right_heel"]]
    seen = 0
    for name in dict.fromkeys(there.poses):
        ends = [set(library()[pose].contacts) for pose in name.split(" to ")]
        people = [there.avatar.posed(q) for q, pose in zip(there.q, there.poses) if pose == name]
        if len(ends) == 2 and {"left_foot", "right_foot"} <= ends[0] & ends[1]:
            at = np.array([person.keypoints_world[heels] for person in people])
            assert np.ptp(at[:, :, [0, 2]], axis=0).max() < 0.12
            seen += len(people)
    assert seen > 3


def test_a_clip_is_a_pure_function_and_keeps_its_place(yoga, cast, clips) -> None:
    again = make_clip(yoga, 3, 1, cast, SIZE, (1, 1), TIMES_S)
    for frame in (13, 4):
        one, other = clips[1].moment(frame), again.moment(frame)
        np.testing.assert_array_equal(one.people[0].skin_world, other.people[0].skin_world)
        np.testing.assert_array_equal(one.camera.world2cam, other.camera.world2cam)
    first, last = clips[1].moment(0), clips[1].moment(15)
    assert first.surroundings is last.surroundings
    assert first.lights is last.lights
    assert first.people[0].subject_id == last.people[0].subject_id


def test_cameras_keep_to_their_room_and_show_the_person(clips) -> None:
    for clip in clips:
        low, high = place(clip.shot.place, clip.shot.variant).camera_room
        shown = []
        for frame in range(len(TIMES_S)):
            shot = clip.moment(frame)
            position = shot.camera.position_world
            assert ((low <= position) & (position <= high)).all()
            pixels = shot.camera.project(shot.people[0].skin_world)
            shown.append(((pixels >= 0) & (pixels < SIZE)).all(axis=1).mean())
        assert min(shown) > 0.5


@pytest.mark.parametrize("kind", list(WEIGHTS))
def test_cameras_move_smoothly(clips, monkeypatch, kind: str) -> None:
    from spinetrack_synth.scenes import camera_paths

    monkeypatch.setattr(camera_paths, "WEIGHTS", {kind: 1.0})
    times_s, camera, middle = np.arange(90) / 30, clips[0].shot.camera, np.array([0, 1.0, 0])
    told, path = film(camera, middle, times_s, lambda camera: True, np.random.default_rng(4))
    assert told == kind
    places = np.array([camera.position_world for camera in path])
    steps = np.diff(places, axis=0)
    assert np.linalg.norm(np.diff(steps, axis=0), axis=1).max() < 0.01
    turns = [a.world2cam[:3, :3] @ b.world2cam[:3, :3].T for a, b in zip(path, path[1:])]
    turned = [np.degrees(np.arccos(np.clip((np.trace(t) - 1) / 2, -1, 1))) for t in turns]
    assert max(turned) < 1.0
    assert (np.ptp(places, axis=0).max() > 0.005) == (kind != FIXED)
    if kind == "orbit":
        away = np.linalg.norm(places - middle, axis=1)
        assert np.ptp(away) < 1e-9
    for camera in path:
        np.testing.assert_allclose(
            camera.world2cam[:3, :3] @ camera.world2cam[:3, :3].T, np.eye(3), atol=1e-12
        )
    stopped, path = film(camera, middle, times_s, lambda camera: False, np.random.default_rng(4))
    assert stopped == FIXED
    assert all(one is path[0] for one in path)


def test_motions_are_played_in_time(yoga, cast) -> None:
    tree = cast.avatar(0).tree
    index = tree.coordinate_index
    times = np.arange(120) / 40
    q = np.zeros((120, len(tree.coordinates)))
    q[:, index["hip_flexion_r"]] = 0.8 * np.sin(2 * np.pi * times / 1.5) ** 2
    q[:, index["pelvis_tx"]] = 5 + 0.3 * times
    q[:, index["pelvis_ty"]] = 3.0
    march = Performance("march", times, q)
    clip_times = np.arange(11) / 8
    clip = make_clip(yoga, 3, 0, cast, SIZE, (1, 1), clip_times, (march,))
    people = [clip.moment(frame).people[0] for frame in range(11)]
    starts = [float(person.pose.split()[1]) for person in people]
    np.testing.assert_allclose(np.diff(starts), 1 / 8, atol=2e-3)
    hips = [person.coordinates[index["hip_flexion_r"]] for person in people]
    wanted = np.interp(starts, times, q[:, index["hip_flexion_r"]])
    np.testing.assert_allclose(hips, wanted, atol=5e-3)
    # It walks straight on at its own speed, whatever way it was turned.
    pelvis = np.array([person.body2world[tree.body_index["pelvis"]] for person in people])
    way = pelvis[-1, :3, 3] - pelvis[0, :3, 3]
    assert np.linalg.norm(way) == pytest.approx(0.3 * clip_times[-1], rel=0.02)
    forward = pelvis[0, :3, 0]
    assert way @ forward / np.linalg.norm(way) == pytest.approx(1.0, abs=0.01)
    lowest = [person.skin_world[:, 1].min() for person in people]
    assert min(lowest) == pytest.approx(-0.005, abs=2e-3)  # the floor, beside all mats
    assert not any(thing.asset.startswith("mat/") for thing in clip.shot.things)


def test_minimum_jerk_starts_and_ends_at_rest() -> None:
    t = np.linspace(0, 1, 1001)
    way = np.array([minimum_jerk(x) for x in t])
    speed = np.gradient(way, t)
    assert (way[0], way[-1]) == (0, 1)
    assert speed[[0, -1]] == pytest.approx(0, abs=1e-4)
    assert speed.max() == pytest.approx(1.875, abs=1e-3)
