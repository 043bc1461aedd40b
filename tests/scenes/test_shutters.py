"""Shutters as scenes ask for them: who moves how far, and that nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.dataset.source import view_by_view
from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.scenes import load_scene, make_clip, make_shot
from spinetrack_synth.scenes.description import NONE, Range

SIZE = (640, 480)


def asking(scene, shutter: float, shake: float = 0.0):
    rules = replace(
        scene.camera, shutter_s=Range(shutter, shutter) if shutter else NONE,
        shake_deg_s=Range(shake, shake),
    )  # fmt: skip
    return replace(scene, camera=rules)


@pytest.fixture(scope="module")
def runner(yoga, cast):
    """A runner in the yoga scene's places, without and with a shutter."""
    scene = replace(yoga, poses={"running": 1.0})
    return tuple(
        make_shot(asking(scene, *rules), 4, 2, cast, SIZE, (1, 1), views=2)
        for rules in ((0.0,), (0.02, 3.0))
    )


def test_a_shutter_changes_nothing_but_itself(runner) -> None:
    sharp, open_ = runner
    assert sharp.shutter is None
    np.testing.assert_array_equal(sharp.people[0].coordinates, open_.people[0].coordinates)
    np.testing.assert_array_equal(sharp.camera.world2cam, open_.camera.world2cam)


def test_people_and_cameras_move_as_they_are_asked_to(runner) -> None:
    shot = runner[1]
    shutter = shot.shutter
    assert shutter is not None and shutter.open_s == pytest.approx(0.02)
    (bodies,) = shutter.bodies
    apart = np.linalg.norm(bodies[:, :3, 3] - shot.people[0].body2world[:, :3, 3], axis=1)
    assert 0.01 < apart.max() < 0.25  # m in a hundredth of a second
    for camera, end in zip(
        (shot.camera, *shot.further), (shutter.camera, *shutter.further), strict=True
    ):
        turn = end.world2cam[:3, :3] @ camera.world2cam[:3, :3].T
        assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(0.03, rel=1e-3)
        np.testing.assert_allclose(end.position_world, camera.position_world, atol=1e-9)
    views = view_by_view(lambda moment: shot, 2)
    for view in range(2):
        assert views(view).shutter.camera is (shutter.camera, *shutter.further)[view]


def test_who_stands_in_a_pose_stands_still(yoga, cast) -> None:
    shot = make_shot(asking(yoga, 0.05), 1, 1, cast, SIZE, (1, 1))
    assert shot.shutter.bodies == (None,)
    assert shot.shutter.camera is shot.camera


def test_who_was_recorded_goes_on_as_recorded(yoga, cast) -> None:
    tree = fullbody()
    a, b = (pose_coordinates(tree, library()[n]) for n in ("tadasana", "virabhadrasana_2"))
    share = np.linspace(0, 1, 21)[:, None]
    rising = Performance("rising", share[:, 0], (1 - share) * a + share * b)
    shot = make_shot(asking(yoga, 0.1), 2, 3, cast, SIZE, (1, 1), (rising,))
    (bodies,) = shot.shutter.bodies
    moved = np.linalg.norm(bodies[:, :3, 3] - shot.people[0].body2world[:, :3, 3], axis=1)
    assert 0.002 < moved.max() < 0.2


def test_clips_go_on_to_the_next_frame(yoga, cast) -> None:
    clip = make_clip(asking(yoga, 0.05), 3, 1, cast, SIZE, (1, 1), np.arange(6) / 8)
    for frame in range(5):
        here, there = clip.moment(frame), clip.moment(frame + 1)
        (end,) = here.shutter.bodies
        start, finish = (x.people[0].body2world[:, :3, 3] for x in (here, there))
        expected = start + 0.05 / 2 * 8 * (finish - start)
        np.testing.assert_allclose(end[:, :3, 3], expected, atol=0.003)
    assert make_clip(
        asking(yoga, 0.2), 3, 1, cast, SIZE, (1, 1), np.arange(6) / 8
    ).moment(0).shutter.open_s == pytest.approx(0.125)  # fmt: skip


def test_scenes_that_move_have_shutters_and_yoga_has_none() -> None:
    assert load_scene("yoga").camera.shutter_s == NONE
    assert load_scene("running").camera.shutter_s.high >= 0.01
