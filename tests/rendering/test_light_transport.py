"""Light against what physics says, and the compiled tracer against Mitsuba's own integrator."""

from __future__ import annotations

import numpy as np
import pytest
from plain_shapes import ball, make_shot, person, rectangle

from spinetrack_synth.camera import look_at
from spinetrack_synth.rendering.packing import owners
from spinetrack_synth.shot import Ambient, AreaLight, Material, Sun

pytestmark = pytest.mark.slow


def radiance(renderer, shot, spp=64, depth=4) -> np.ndarray:
    """Noisy linear light of a shot, (H, W, 3)."""
    return renderer._staged(shot).light(shot.camera, spp=spp, seed=3, depth=depth)[0]


def linear(srgb: float) -> float:
    return ((srgb + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("roughness", [0.1, 0.4, 1.0])
@pytest.mark.parametrize("specular", [0.0, 0.5, 1.0])
def test_a_ball_gives_back_no_more_light_than_it_gets(any_renderer, roughness, specular) -> None:
    white = Material((1.0, 1.0, 1.0), roughness=roughness, specular=specular)
    shot = make_shot([person(ball("ball", (0, 1, 0), 0.5, white))], (), (Ambient((1, 1, 1)),))
    light = radiance(any_renderer, shot)
    ids = any_renderer.scan(shot)[0] + 1
    np.testing.assert_allclose(light[ids == 0].mean(), 1, atol=0.06)  # antialiased at the rim
    # Disney's diffuse lobe gains some 10 % at grazing angles on rough surfaces, by design.
    assert 0.8 < light[ids == 1].mean() < 1.12
    assert light[18:22, 28:32].mean() == pytest.approx(1, abs=0.12)


def test_a_lamp_lights_by_area_cosines_and_distance(any_renderer) -> None:
    grey = Material((0.5, 0.5, 0.5), roughness=0.5, specular=0.0)
    floor = rectangle("floor", (0, 0, 0), (0, 0, 3), (3, 0, 0), grey)
    down = AreaLight((0, 2, 0), (0.05, 0, 0), (0, 0, 0.05), (100, 50, 25))
    assert np.cross(down.half_u_world, down.half_v_world)[1] < 0
    camera = look_at((2, 2, 0), (0, 0, 0), focal_px=100, width=9, height=9)
    light = radiance(any_renderer, make_shot((), [floor], (down,), camera), depth=1)
    middle = light[4, 4]
    irradiance = np.array([100, 50, 25]) * 0.01 / 2**2
    # At roughness .5 Disney's lobe is Lambert's seen along 45 degrees, but for a few percent.
    np.testing.assert_allclose(middle, linear(0.5) / np.pi * irradiance, rtol=0.08)
    up = AreaLight((0, 2, 0), (0, 0, 0.05), (0.05, 0, 0), (100, 50, 25))
    away = radiance(any_renderer, make_shot((), [floor], (up,), camera), depth=1)
    assert away[4, 4].max() < 1e-2 * middle.max()


def test_a_seen_lamp_has_its_radiance(any_renderer) -> None:
    lamp = AreaLight((0, 1, 0), (0, 0, -1), (0, 1, 0), (3, 2, 1))
    towards = radiance(
        any_renderer, make_shot((), [rectangle("floor", (0, -9, 0), (0, 0, 1), (1, 0, 0))], (lamp,))
    )
    np.testing.assert_allclose(towards[20, 30], (3, 2, 1), rtol=1e-3)


def test_shadows_fall_away_from_the_sun(any_renderer) -> None:
    floor = rectangle("floor", (0, 0, 0), (0, 0, 5), (5, 0, 0), Material((0.5, 0.5, 0.5)))
    post = person(ball("ball", (0, 1, 0), 0.3))
    camera = look_at((6, 6, 0), (0, 0, 0), focal_px=60, width=60, height=60)
    shot = make_shot([post], [floor], (Sun((0.0, 0.7071, 0.7071), sky_scale=0.02),), camera)
    light = radiance(any_renderer, shot).mean(axis=2)

    def at(point) -> float:
        x, y = camera.project(point).astype(int)
        return float(light[y - 1 : y + 2, x - 1 : x + 2].mean())

    assert at((0, 0, -1)) < 0.2 * at((0, 0, 1.5))


def test_a_half_open_mask_casts_half_a_shadow(renderer) -> None:
    if renderer.variant.startswith("scalar"):
        pytest.skip("Mitsuba's path integrator takes masks for solid in shadows")
    floor = rectangle("floor", (0, 0, 0), (0, 0, 5), (5, 0, 0), Material((0.5, 0.5, 0.5)))
    camera = look_at((3, 3, 0), (0, 0, 0), focal_px=100, width=9, height=9)
    lights = (Sun((0.0, 1.0, 0.0), sky_scale=0.0),)

    def middle(opacity: int | None) -> float:
        if opacity is None:
            return float(
                radiance(renderer, make_shot((), [floor], lights, camera), depth=1)[4, 4].sum()
            )
        mask = np.full((2, 2), opacity, dtype=np.uint8)
        veil = rectangle(
            f"veil{opacity}", (0, 1, 0), (0, 0, 0.5), (0.5, 0, 0), Material((0, 0, 0), opacity=mask)
        )
        return float(
            radiance(renderer, make_shot((), [floor, veil], lights, camera), depth=1)[4, 4].sum()
        )

    bare = middle(None)
    assert middle(128) == pytest.approx(bare / 2, rel=0.05)
    assert middle(0) == pytest.approx(bare, rel=0.05)
    assert middle(255) < 0.05 * bare


@pytest.mark.parametrize("lights", ["sun", "lamps"])
def test_both_ways_of_drawing_agree(renderer, scalar_renderer, lights: str) -> None:
    if renderer.variant.startswith("scalar"):
        pytest.skip("there is only the scalar variant here")
    rng = np.random.default_rng(2)
    patches = np.kron(rng.integers(60, 220, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    people = [
        person(ball("a", (0, 0.6, 0.5), 0.6, Material(patches, roughness=0.7, specular=0.2))),
        person(ball("b", (0, 0.6, -0.8), 0.5, Material((0.3, 0.5, 0.2), roughness=0.4))),
    ]
    surroundings = [
        rectangle("floor", (0, 0, 0), (0, 0, 6), (6, 0, 0), Material(patches), repeat=3),
        rectangle("wall", (-2, 2, 0), (0, 0, -6), (0, 2, 0), Material((0.7, 0.7, 0.6))),
    ]
    light = {
        "sun": (Sun((0.6, 0.6, 0.3), turbidity=4),),
        "lamps": (
            Ambient((0.05, 0.05, 0.06)),
            AreaLight((1, 3, 0), (0.5, 0, 0), (0, 0, 0.5), (8, 7, 6)),
            AreaLight((1, 1.6, 3), (0.3, 0, 0), (0, -0.5, 0), (1, 3, 6)),
        ),
    }[lights]
    camera = look_at((4, 1.5, 0.3), (0, 0.7, 0), focal_px=50, width=48, height=36)
    shot = make_shot(people, surroundings, light, camera)
    ours = radiance(renderer, shot, spp=256)
    surface, _ = renderer.scan(shot)
    ids = np.append(owners(shot), 0)[surface]
    mitsubas = radiance(scalar_renderer, shot, spp=128)
    for number in range(3):
        np.testing.assert_allclose(
            ours[ids == number].mean(axis=0), mitsubas[ids == number].mean(axis=0), rtol=0.05
        )
