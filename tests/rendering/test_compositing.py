"""People on backdrops: coverage, shadows, edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_shapes import ball, make_shot, person, rectangle
from radiance_files import direction

from spinetrack_synth.camera import look_at
from spinetrack_synth.rendering import Quality, film
from spinetrack_synth.rendering.compositing import compose
from spinetrack_synth.shot import Backdrop, Environment, Material, Shot

SKY = np.full((128, 256, 3), 0.2, np.float32)
PHOTO = np.random.default_rng(1).integers(90, 160, (60, 80, 3), dtype=np.uint8)


def standing_ball(sun: np.ndarray, camera_at=(4.0, 2.5, 0.0)) -> Shot:
    """A ball a little above the ground in sunlight from a direction (3,), before a photograph."""
    grey = Material((0.5, 0.5, 0.5), roughness=1.0, specular=0.0)
    ground = rectangle("ground", (0, 0, 0), (0, 0, 50), (50, 0, 0), grey)
    light = Environment(SKY, tuple(sun.tolist()), (3.0, 3.0, 3.0))
    camera = look_at(camera_at, (0, 0.3, 0), focal_px=70, width=80, height=60)
    shot = make_shot([person(ball("ball", (0, 0.45, 0), 0.4))], [ground], (light,), camera)
    return replace(shot, backdrop=Backdrop("photo.png", film.undevelop(PHOTO), exposed=True))


def test_nobody_leaves_the_backdrop_as_it_is() -> None:
    bare, backdrop = (
        np.full((20, 30, 3), 0.4, np.float32),
        np.random.default_rng(1).random((20, 30, 3)),
    )
    nobody, ground = np.zeros((20, 30), np.float32), np.ones((20, 30), bool)
    np.testing.assert_allclose(
        compose(bare, bare, nobody, ground, backdrop.astype(np.float32)), backdrop, atol=1e-6
    )


def test_edges_are_mixed_by_coverage_and_shadows_multiply() -> None:
    bare = np.full((20, 30, 3), 0.5, np.float32)
    drawn, covered = bare.copy(), np.zeros((20, 30), np.float32)
    covered[:, :10], covered[:, 10] = 1, 0.25
    drawn[:, :10] = 0.8
    drawn[:, 10] = 0.25 * 0.8 + 0.75 * 0.1
    drawn[:, 11:15] = 0.1  # a fifth of the light
    ground = covered == 0
    composed = compose(drawn, bare, covered, ground, np.full_like(bare, 3.0))
    np.testing.assert_allclose(composed[8, 5], 0.8, rtol=1e-5)
    np.testing.assert_allclose(composed[8, 12], 0.2 * 3.0, rtol=1e-5)
    np.testing.assert_allclose(composed[8, 10], 0.25 * 0.8 + 0.75 * 0.2 * 3.0, rtol=1e-5)
    np.testing.assert_allclose(composed[8, 20], 3.0, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("azimuth_deg", [40, 140])
def test_shadows_fall_away_from_the_sun(any_renderer, azimuth_deg: int) -> None:
    sun = direction(40, azimuth_deg)
    shot = standing_ball(sun, camera_at=(0.5, 6.0, 0.0))
    frame = any_renderer.render(shot, quality=Quality.NORMAL)
    light, photo = (film.undevelop(rgb).mean(axis=-1) for rgb in (frame.rgb, PHOTO))
    dark = (frame.ids == 0) & (light < 0.5 * photo)
    # Where a ray from the ball's middle along the sun's meets the ground.
    falls = np.array([0, 0.45, 0]) - 0.45 / sun[1] * sun
    rows, columns = np.nonzero(dark)
    seen = np.array([columns.mean() + 0.5, rows.mean() + 0.5])
    assert np.linalg.norm(seen - shot.camera.project(falls)) < 4
    far = (frame.ids == 0) & (np.hypot(*(np.indices(dark.shape) - [[[30]], [[40]]])) > 26)
    assert np.abs(light / photo - 1)[far].mean() < 0.05


@pytest.mark.slow
def test_coverage_is_that_of_the_samples(any_renderer) -> None:
    shot = standing_ball(direction(60, 90))
    stage = any_renderer._staged(shot)
    covered = stage.coverage(shot.camera, spp=64, seed=3)
    ids = any_renderer.render(shot, quality=Quality.DRAFT).ids
    # Pixels well inside and outside of the ball, and its area to a part of a pixel.
    assert covered[30, 40] == 1
    assert covered[:4].max() == covered[-4:].max() == 0
    edge = (covered > 0.05) & (covered < 0.95)
    assert 20 < edge.sum() < 90
    assert covered.sum() == pytest.approx((ids == 1).sum(), rel=0.03)
