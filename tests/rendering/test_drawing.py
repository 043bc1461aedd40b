"""Frames of plain shapes: geometry to the pixel, repeatability, whoever is in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_shapes import GREY, ball, make_shot, person, rectangle, triangles

from spinetrack_synth.camera import Camera, look_at
from spinetrack_synth.rendering import Quality
from spinetrack_synth.shot import Ambient, AreaLight, Material, Sun

pytestmark = pytest.mark.slow

DAY = (Sun((0.5, 0.7, 0.2)),)


def odd_camera(rng: np.random.Generator, *, square: bool = True) -> Camera:
    """A camera somewhere, its axis well off the middle of a picture that is not square."""
    width, height = (int(side) for side in rng.integers(31, 90, 2))
    camera = look_at(
        np.array([3, 1, 0]) + rng.uniform(-1, 1, 3),
        rng.uniform(-0.3, 0.3, 3),
        focal_px=rng.uniform(0.8, 2) * width,
        width=width,
        height=height,
        roll_rad=rng.uniform(-1, 1),
    )
    K = camera.K.copy()
    K[:2, 2] += rng.uniform(-0.25, 0.25, 2) * (width, height)
    if not square:
        K[1, 1] *= 1.3
        K[0, 1] = 0.05 * width
    return replace(camera, K=K)


def inside(corners_px: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Where pixel centres lie in a projected triangle, and where that is too close to call."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    first, second = corners_px[1] - corners_px[0], corners_px[2] - corners_px[0]
    turn = np.sign(first[0] * second[1] - first[1] * second[0])
    within = np.ones(x.shape, dtype=bool)
    close = np.zeros(x.shape, dtype=bool)
    for a, b in zip(corners_px, np.roll(corners_px, -1, axis=0)):
        edge = b - a
        side = turn * (edge[0] * (y - a[1]) - edge[1] * (x - a[0])) / np.hypot(*edge)
        within &= side > 0
        close |= np.abs(side) < 0.005
    return within, close


@pytest.mark.parametrize("seed", range(6))
def test_ids_and_depth_are_those_of_the_projected_triangle(any_renderer, seed: int) -> None:
    rng = np.random.default_rng(seed)
    square = seed % 2 == 0 or any_renderer.variant.startswith("scalar")
    camera = odd_camera(rng, square=square)
    corners = rng.uniform(-0.8, 0.8, (3, 3))
    shot = make_shot([person(triangles(f"leaf{seed}", corners[None]))], (), DAY, camera)
    frame = any_renderer.render(shot, quality=Quality.DRAFT)
    assert frame.ids.shape == frame.depth_m.shape == (camera.height, camera.width)
    assert frame.rgb.shape == (camera.height, camera.width, 3)
    expected, close = inside(camera.project(corners), camera)
    assert expected.sum() > 10
    wrong = ((frame.ids == 1) != expected) & ~close
    assert not wrong.any()

    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    rows, columns = np.nonzero(frame.ids)
    points = camera.unproject(
        np.stack([columns + 0.5, rows + 0.5], axis=1), frame.depth_m[rows, columns]
    )
    off_plane = (points - corners[0]) @ (normal / np.linalg.norm(normal))
    assert np.abs(off_plane).max() < 1e-4
    assert np.isinf(frame.depth_m[frame.ids == 0]).all()


def test_people_are_numbered_in_order_and_hide_each_other(any_renderer) -> None:
    near = person(ball("near", (1, 1, 0.1), 0.25))
    far = person(ball("far", (-1, 1, -0.1), 0.5))
    wall = rectangle("wall", (-2, 1, 0), (0, 0, 5), (0, 5, 0))
    shot = make_shot([far, near], [wall], DAY)
    frame = any_renderer.render(shot, quality=Quality.DRAFT)
    assert set(np.unique(frame.ids)) == {0, 1, 2}
    depth = [frame.depth_m[frame.ids == number] for number in range(3)]
    assert depth[2].max() < 2.05 < 3.5 < depth[1].min()
    np.testing.assert_allclose(depth[0], 5, atol=1e-4)
    back = any_renderer.render(replace(shot, people=(near, far)), quality=Quality.DRAFT)
    np.testing.assert_array_equal(back.ids, np.array([0, 2, 1])[frame.ids])


def test_only_opaque_texels_count_in_ids_and_depth(any_renderer) -> None:
    # Four quarters, only the upper left one opaque: row 0 of the image is v = 1.
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[:32, :32] = 255
    card = rectangle(
        "card", (0, 1, 0), (0, 0, -0.4), (0, 0.4, 0), Material((0.8, 0.2, 0.2), opacity=mask)
    )
    wall = rectangle("wall", (-1, 1, 0), (0, 0, -3), (0, 3, 0))
    camera = look_at((3, 1, 0), (0, 1, 0), focal_px=150, width=60, height=60)
    frame = any_renderer.render(
        make_shot([person(card, replace(card, key="card again"))], [wall], DAY, camera),
        quality=Quality.DRAFT,
    )
    rows, columns = np.nonzero(frame.ids)
    # u runs along -Z, which is to the right for a camera that looks along -X.
    assert (rows.min(), rows.max()) == (10, 29)
    assert (columns.min(), columns.max()) == (10, 29)
    assert len(rows) == 20 * 20
    np.testing.assert_allclose(frame.depth_m[frame.ids == 1], 3, atol=1e-4)
    np.testing.assert_allclose(frame.depth_m[frame.ids == 0], 4, atol=1e-4)


@pytest.mark.slow
def test_many_see_through_layers_end(any_renderer) -> None:
    glass = Material((0.5, 0.5, 0.5), opacity=np.zeros((2, 2), dtype=np.uint8))
    panes = [
        rectangle(f"pane{k}", (1 - 0.02 * k, 1, 0), (0, 0, -3), (0, 3, 0), glass) for k in range(20)
    ]
    ball_behind = person(ball("behind", (-1, 1, 0), 0.5))
    frame = any_renderer.render(make_shot([ball_behind], panes, DAY), quality=Quality.DRAFT)
    clear = any_renderer.render(make_shot([ball_behind], (), DAY), quality=Quality.DRAFT)
    np.testing.assert_array_equal(frame.ids, clear.ids)
    np.testing.assert_allclose(frame.depth_m, clear.depth_m, rtol=1e-4)


def test_textures_lie_upright_and_in_their_colours(any_renderer) -> None:
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[:32, :32] = (220, 30, 30)  # upper left
    image[:32, 32:] = (30, 220, 30)
    image[32:, :32] = (30, 30, 220)
    image[32:, 32:] = (200, 200, 30)
    card = rectangle("flag", (0, 1, 0), (0, 0, -1), (0, 1, 0), Material(image, specular=0.0))
    camera = look_at((3, 1, 0), (0, 1, 0), focal_px=90, width=60, height=60)
    frame = any_renderer.render(
        make_shot([person(card)], (), (Ambient((1, 1, 1)),), camera), quality=Quality.NORMAL
    )
    quarters = [frame.rgb[r : r + 12, c : c + 12].mean((0, 1)) for r in (10, 38) for c in (10, 38)]
    red, green, blue, yellow = quarters
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert blue.argmax() == 2
    assert yellow.argmin() == 2
    for value in (red, green, blue):
        assert value.max() > 2.5 * np.sort(value)[1]


def test_the_same_shot_gives_the_same_pixels_whatever_came_before(any_renderer) -> None:
    shot = make_shot([person(ball("self", (0, 1, 0), 0.4))], (), DAY, index=3)
    other = make_shot(
        [person(ball("other", (0, 1, 0.4), 0.3))],
        [rectangle("floor", (0, 0, 0), (0, 0, 4), (4, 0, 0))],
        (AreaLight((0, 3, 0), (0.5, 0, 0), (0, 0, 0.5), (20, 20, 20)),),
        index=4,
    )
    first = any_renderer.render(shot, quality=Quality.DRAFT)
    different = any_renderer.render(other, quality=Quality.DRAFT)
    again = any_renderer.render(shot, quality=Quality.DRAFT)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    np.testing.assert_array_equal(first.ids, again.ids)
    np.testing.assert_array_equal(first.depth_m, again.depth_m)
    assert (different.rgb != first.rgb).any()
    reseeded = any_renderer.render(replace(shot, seed=6), quality=Quality.DRAFT)
    assert (reseeded.rgb != first.rgb).any()
    np.testing.assert_array_equal(reseeded.ids, first.ids)


def test_views_of_a_moment_are_staged_once_and_drawn_as_if_alone(renderer, monkeypatch) -> None:
    shot = make_shot([person(ball("self", (0, 1, 0), 0.4))], (), DAY, index=3)
    camera = look_at((0.5, 1.5, 2.5), (0, 1, 0), focal_px=60, width=48, height=32)
    second = replace(shot, index=4, camera=camera)
    alone = renderer.render(second, quality=Quality.DRAFT)
    other = make_shot([person(ball("other", (0, 1, 0.4), 0.3))], (), DAY, index=5)
    renderer.render(other, quality=Quality.DRAFT)
    renderer.render(shot, quality=Quality.DRAFT)
    with monkeypatch.context() as patch:
        patch.setattr(type(renderer._stage), "load", None)
        after = renderer.render(second, quality=Quality.DRAFT)
    np.testing.assert_array_equal(alone.rgb, after.rgb)
    np.testing.assert_array_equal(alone.depth_m, after.depth_m)
    brighter = replace(second, lights=(Ambient((9, 9, 9)),))
    assert (renderer.render(brighter, quality=Quality.DRAFT).rgb != after.rgb).any()


@pytest.mark.slow
def test_no_kernel_is_compiled_again_for_other_people_places_and_lights(renderer) -> None:
    if renderer.variant.startswith("scalar"):
        pytest.skip("the scalar variant compiles nothing")
    import drjit as dr

    rng = np.random.default_rng(0)

    def shot(number: int):
        texture = rng.integers(0, 255, (8 + number, 16, 3), dtype=np.uint8)
        people = [
            person(*(ball(f"{number} {p} {k}", rng.uniform(-1, 1, 3), 0.2) for k in range(1 + p)))
            for p in range(number)
        ]
        floor = rectangle("floor", (0, -1, 0), (0, 0, 4), (4, 0, 0), Material(texture))
        lamps = [
            AreaLight((0, 3, k), (0.1, 0, 0), (0, 0, 0.1), (9, 9, 9)) for k in range(2 * number)
        ]
        camera = look_at(
            (3, 1, number), (0, 0, 0), focal_px=40 + number, width=40 + 8 * number, height=32
        )
        return make_shot(people, [floor], (*DAY, *lamps), camera, index=number)

    for number in (2, 1, 3):  # what is compiled once is now compiled
        renderer.render(shot(number), quality=Quality.DRAFT)
    with dr.scoped_set_flag(dr.JitFlag.KernelHistory, True):
        dr.kernel_history_clear()
        for number in (4, 5, 0, 6):
            renderer.render(shot(number), quality=Quality.DRAFT)
        missed = [
            kernel
            for kernel in dr.kernel_history()
            if "cache_hit" in kernel and not kernel["cache_hit"] and kernel["operation_count"] > 150
        ]
    assert not missed


@pytest.mark.slow
def test_samples_drawn_in_several_passes_are_different_samples(renderer, monkeypatch) -> None:
    if renderer.variant.startswith("scalar"):
        pytest.skip("the scalar variant draws in one pass")
    from spinetrack_synth.rendering import jit

    shot = make_shot([person(ball("self", (0, 1, 0), 0.4))], (), DAY)
    renderer.render(shot)

    def noise(spp: int) -> float:
        light = renderer._stage.light(shot.camera, spp=spp, seed=1, depth=2)[0]
        exact = renderer._stage.light(shot.camera, spp=256, seed=2, depth=2)[0]
        return float(np.square(light - exact).mean())

    whole = noise(16)
    monkeypatch.setattr(jit, "MOST_PATHS", 2 * shot.camera.width * shot.camera.height)
    assert noise(16) == pytest.approx(whole, rel=0.5)
    assert noise(2) > 3 * whole


def test_a_closed_renderer_draws_nothing() -> None:
    from spinetrack_synth.rendering import open_renderer

    renderer = open_renderer()
    renderer.close()
    with pytest.raises(RuntimeError, match="closed"):
        renderer.render(make_shot([person(ball("self", (0, 1, 0), 0.4, GREY))], (), DAY))


def test_a_scan_tells_surfaces_apart_and_agrees_with_the_picture(any_renderer) -> None:
    people = [person(ball("a", (0, 1, 0.4), 0.3), ball("hat", (0, 1.4, 0.4), 0.15))]
    floor = rectangle("floor", (0, 0, 0), (0, 0, 3), (3, 0, 0))
    lamp = AreaLight((0, 1, -0.6), (0, 0, -0.2), (0, 0.2, 0), (3, 2, 1))
    shot = make_shot(people, [floor], (*DAY, lamp))
    surface, depth_m = any_renderer.scan(shot)
    assert set(np.unique(surface)) == {-1, 0, 1, 2, 3}
    frame = any_renderer.render(shot, quality=Quality.DRAFT)
    np.testing.assert_array_equal(frame.ids, (surface == 1) | (surface == 2))
    np.testing.assert_array_equal(frame.depth_m, depth_m)
    np.testing.assert_array_equal(np.isinf(depth_m), surface == -1)


def test_normals_stand_on_surfaces_towards_the_camera(any_renderer) -> None:
    middle = np.array([0, 1, 0])
    away = rectangle("wall", (-1, 1, 0), (0, 3, 0), (0, 0, 3))  # faces -X, seen from +X
    shot = make_shot([person(ball("ball", middle, 0.5, rings=96))], [away], DAY)
    surface, depth_m = any_renderer.scan(shot)
    normal = any_renderer.normals(shot)
    camera = shot.camera
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    points = camera.unproject(np.stack([x, y], axis=-1), np.where(surface < 0, 1, depth_m))
    outward = (points - middle) / 0.5
    on_ball = surface == 1
    assert np.abs(normal[on_ball] - outward[on_ball]).max() < 0.02
    np.testing.assert_allclose(normal[surface == 0], np.tile([1, 0, 0], ((surface == 0).sum(), 1)))
    assert not normal[surface < 0].any()


def test_normals_are_those_of_what_is_seen_through_a_mask(any_renderer) -> None:
    window = Material(
        (0.5, 0.5, 0.5), opacity=np.kron([[0, 255]], np.ones((2, 2))).astype(np.uint8)
    )
    tilted = rectangle("window", (1, 1, 0), (0.4, 0, -1), (0, 1, 0), window)
    wall = rectangle("wall", (-1, 1, 0), (0, 0, -4), (0, 4, 0))
    shot = make_shot((), [tilted, wall], DAY)
    surface, _ = any_renderer.scan(shot)
    normal = any_renderer.normals(shot)
    assert (surface == 0).sum() > 50 < (surface == 1).sum()
    np.testing.assert_allclose(
        normal[surface == 1], np.tile([1, 0, 0], ((surface == 1).sum(), 1)), atol=1e-6
    )
    slant = np.array([1, 0, 0.4]) / np.hypot(1, 0.4)
    np.testing.assert_allclose(
        normal[surface == 0], np.tile(slant, ((surface == 0).sum(), 1)), atol=1e-6
    )
