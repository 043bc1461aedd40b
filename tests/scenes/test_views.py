"""Several cameras of one moment."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from triangulation import triangulated

from spinetrack_synth.errors import UserError
from spinetrack_synth.scenes import make_shot, shots
from spinetrack_synth.scenes.places import place
from spinetrack_synth.scenes.viewpoints import behind_things

SIZE = (640, 480)


@pytest.mark.parametrize("views", [2, 3, 8])
def test_views_look_from_different_sides_at_the_first_person(yoga, cast, views: int) -> None:
    for index in range(6):
        shot = make_shot(yoga, 5, index, cast, SIZE, views=views)
        alone = make_shot(yoga, 5, index, cast, SIZE)
        cameras = (shot.camera, *shot.further)
        assert len(cameras) == views
        middle = shot.people[0].skin_world.mean(axis=0)
        azimuths = []
        for camera in cameras:
            pixels = camera.project(shot.people[0].skin_world)
            inside = ((pixels >= 0) & (pixels < SIZE)).all(axis=1)
            assert inside.mean() > 0.5
            obstacles = place(shot.place, shot.variant).obstacles
            body = np.asarray(shot.people[0].skin_world[::12], float)
            assert not behind_things(camera.position_world, body, obstacles)
            x, _, z = camera.position_world - middle
            azimuths.append(np.arctan2(z, x))
        for a, b in combinations(azimuths, 2):
            assert abs(np.sin(a - b)) >= np.sin(np.radians(45 / views)) - 1e-9
        if alone.people[0].subject_id == shot.people[0].subject_id:
            np.testing.assert_array_equal(alone.camera.world2cam, shot.camera.world2cam)


def test_exact_projections_of_two_views_meet_in_the_keypoints(yoga, cast) -> None:
    shot = make_shot(yoga, 5, 2, cast, SIZE, views=2)
    cameras = (shot.camera, *shot.further)
    world = shot.people[0].keypoints_world
    pixels = np.array([camera.project(world) for camera in cameras]).round(3)
    points, known = triangulated(
        np.array([camera.K @ camera.world2cam[:3] for camera in cameras]),
        pixels,
        np.isfinite(pixels).all(axis=2),
    )
    assert known.all()
    assert np.linalg.norm(points - world, axis=1).max() < 0.5e-3


def test_further_views_change_nothing_of_the_moment(yoga, cast) -> None:
    one, two = (make_shot(yoga, 5, 4, cast, SIZE, views=views) for views in (1, 2))
    assert not one.further
    np.testing.assert_array_equal(one.people[0].skin_world, two.people[0].skin_world)
    np.testing.assert_array_equal(one.camera.world2cam, two.camera.world2cam)
    assert (one.lights, one.things) == (two.lights, two.things)


def test_views_that_find_no_room_are_told(yoga, cast, monkeypatch) -> None:
    monkeypatch.setattr(shots, "DRAWS", 1)
    monkeypatch.setattr(shots, "further_views", lambda *_: None)
    with pytest.raises(UserError, match=r"found no 3 cameras that keep.*take fewer --views"):
        make_shot(yoga, 5, 4, cast, SIZE, views=3)
