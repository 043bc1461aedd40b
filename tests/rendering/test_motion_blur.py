"""Movement spread over a picture: as wide as the way, about the middle, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.camera import Camera
from spinetrack_synth.hits import patches
from spinetrack_synth.poses.movements import later
from spinetrack_synth.rendering.motion_blur import blurred, ways_px
from spinetrack_synth.shot import Shutter

HEIGHT, WIDTH = 60, 120
LEFT, RIGHT, TOP, BOTTOM = 40, 70, 20, 44


def bar(way: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A bright bar in front of a grey wall: light, ways and depth."""
    light = np.full((HEIGHT, WIDTH, 3), 0.2, dtype=np.float32)
    depth = np.full((HEIGHT, WIDTH), 5.0, dtype=np.float32)
    ways = np.zeros((HEIGHT, WIDTH, 2))
    inside = (slice(TOP, BOTTOM), slice(LEFT, RIGHT))
    light[inside], depth[inside], ways[inside] = 1.0, 2.0, way
    return light, ways, depth


def shares(way: tuple[float, float]) -> np.ndarray:
    """How much of the time the bar is before each pixel."""
    return (blurred(*bar(way))[..., 0] - 0.2) / 0.8


@pytest.mark.parametrize("length", [6.0, 13.0, 24.0])
def test_an_edge_is_spread_over_its_way_with_the_labels_place_in_the_middle(length: float) -> None:
    row = shares((length, 0.0))[(TOP + BOTTOM) // 2]
    x = np.arange(WIDTH) + 0.5
    exact = np.clip((x - LEFT + length / 2) / length, 0, 1) * (
        1 - np.clip((x - RIGHT + length / 2) / length, 0, 1)
    )
    assert np.abs(row - exact).max() < max(1 / length, 0.06)  # a pixel, or a step of the time
    assert abs((row * x).sum() / row.sum() - (LEFT + RIGHT) / 2) < 0.3
    assert abs(row.sum() - (RIGHT - LEFT)) < 0.6
    rising = np.diff(row[: (LEFT + RIGHT) // 2])
    spread = np.sqrt(np.average((x[: len(rising)] + 0.5 - LEFT) ** 2, weights=rising))
    assert abs(spread * np.sqrt(12) - length) < 1.0  # the spread of a uniform distribution


def test_what_stands_still_stays_as_it_was() -> None:
    light, ways, depth = bar((10.0, 0.0))
    done = blurred(light, ways, depth)
    beyond = np.ones((HEIGHT, WIDTH), dtype=bool)
    beyond[TOP - 1 : BOTTOM + 1, LEFT - 7 : RIGHT + 7] = False
    np.testing.assert_allclose(done[beyond], light[beyond], atol=1e-5)
    np.testing.assert_allclose(done[TOP + 2 : BOTTOM - 2, LEFT + 6 : RIGHT - 6], 1.0, atol=1e-5)
    assert blurred(light, 0.01 * ways, depth) is light


def test_a_slanting_way_spreads_along_it() -> None:
    part = shares((12.0, 12.0))
    y, x = np.indices(part.shape) + 0.5
    middle = (part * x).sum() / part.sum(), (part * y).sum() / part.sum()
    assert np.allclose(middle, ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2), atol=0.4)
    assert part[TOP - 3, LEFT - 3] > 0.05 > part[TOP - 3, RIGHT + 3]


def test_a_moving_wall_is_hidden_by_what_stands_before_it() -> None:
    light, ways, depth = bar((0.0, 0.0))
    wall = depth == 5.0
    ways[wall] = (16.0, 0.0)
    light[wall] = np.where(np.indices(depth.shape)[1] // 8 % 2, 0.6, 0.1)[wall][:, None]
    done = blurred(light, ways, depth)
    np.testing.assert_allclose(done[TOP + 2 : BOTTOM - 2, LEFT + 2 : RIGHT - 2], 1.0, atol=1e-5)
    assert np.ptp(done[5, 20:100, 0]) < 0.1 < np.ptp(light[5, 20:100, 0])


@pytest.fixture(scope="module")
def kick(renderer):
    """A kick, with the posture in which it closes, as drawn."""
    from spinetrack_synth.avatars.cast import Cast
    from spinetrack_synth.poses.library import library
    from spinetrack_synth.scenes.portrait import portrait

    pose, avatar = library()["kick_front"], Cast(1).avatar(2)
    shot = portrait(pose, avatar, np.random.default_rng(3), (96, 72))
    (person,) = shot.people
    after = later(avatar.tree, pose, person.coordinates, 0.04)
    shutter = Shutter(0.08, (body_transforms(avatar.tree, after),), shot.camera)
    shot = replace(shot, shutter=shutter)
    return shot, pose_avatar(avatar, after, person.fingers_rad), renderer


@pytest.mark.slow
def test_pixels_move_as_the_skin_and_the_clothes_do(kick) -> None:
    shot, end, renderer = kick
    frame = renderer.render(shot)
    assert frame.shutter_s == 0.08
    ways = ways_px(shot, frame.hits, frame.depth_m)
    assert not ways[frame.ids == 0].any()
    rows, columns = np.nonzero(frame.ids)
    posed = {s.key: s for s in end.surfaces}
    off, length = [], []
    for patch in patches(shot, shot.camera, frame.hits, frame.depth_m, rows, columns):
        here, there = patch.surface.vertices_world, posed[patch.surface.key].vertices_world
        moved = np.einsum("nk,nkc->nc", patch.weights, (there - here)[patch.vertices])
        pixels = np.stack([columns, rows], axis=-1)[patch.which] + 0.5
        depth = frame.depth_m[rows, columns][patch.which]
        points = shot.camera.unproject(pixels, depth)
        true = 2 * (shot.camera.project(points + moved) - pixels)
        told = ways[rows, columns][patch.which]
        off += np.linalg.norm(told - true, axis=1).tolist()
        length += np.linalg.norm(true, axis=1).tolist()
    assert max(length) > 4
    assert np.percentile(off, 95) < 0.1 * max(length)
    sharp = renderer.render(replace(shot, shutter=None))
    assert sharp.shutter_s == 0
    np.testing.assert_array_equal(sharp.ids, frame.ids)
    changed = np.abs(sharp.rgb.astype(int) - frame.rgb).max(axis=-1) > 8
    assert changed[frame.ids == 1].mean() > 0.05


@pytest.mark.slow
def test_a_shaken_camera_moves_everything(kick) -> None:
    shot, _, renderer = kick
    turn = np.eye(4)
    turn[:3, :3] = [[np.cos(0.01), 0, np.sin(0.01)], [0, 1, 0], [-np.sin(0.01), 0, np.cos(0.01)]]
    camera: Camera = replace(shot.camera, world2cam=turn @ shot.camera.world2cam)
    shaken = replace(shot, shutter=Shutter(0.02, (None,), camera))
    frame = renderer.render(shaken)
    ways = ways_px(shaken, frame.hits, frame.depth_m)
    across = 2 * 0.01 * shot.camera.K[0, 0]
    assert np.median(ways[..., 0]) == pytest.approx(across, rel=0.05)
    assert np.abs(np.median(ways[..., 1])) < 0.05 * across
