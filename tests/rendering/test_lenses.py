"""Frames through lenses: bent where OpenCV says, blurred as a thin lens blurs, labels exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_shapes import make_shot, person, rectangle

from spinetrack_synth.camera import Camera, look_at
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.rendering import Quality
from spinetrack_synth.rendering.film import undevelop
from spinetrack_synth.shot import Ambient, Material

pytestmark = pytest.mark.slow

DARK, WHITE = Material((0.0, 0.0, 0.0), specular=0.0), Material((0.9, 0.9, 0.9), specular=0.0)
EVEN = (Ambient((1.0, 1.0, 1.0)),)
WIDE = look_at((3, 1, 0), (0, 1, 0), focal_px=60, width=96, height=72)


@pytest.mark.parametrize(
    "distortion",
    [Distortion(k1=-0.2, k2=0.04, p1=0.004, p2=-0.006), Distortion(k1=0.15, k2=0.1, k3=-0.02)],
)
def test_ids_depth_and_light_are_where_opencv_sees_them(any_renderer, distortion) -> None:
    cv2 = pytest.importorskip("cv2")
    camera = replace(WIDE, distortion=distortion)
    card = rectangle("card", (0, 1, 0), (0.5, 0, -1.9), (0, 1.4, 0), WHITE)
    wall = rectangle("wall", (-3, 1, 0), (0, 0, -30), (0, 30, 0), DARK)
    frame = any_renderer.render(
        make_shot([person(card)], [wall], EVEN, camera), quality=Quality.DRAFT
    )

    # The ray of every pixel centre by OpenCV, met with the card's plane.
    x, y = np.meshgrid(np.arange(96) + 0.5, np.arange(72) + 0.5)
    centres = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-12)
    flat = cv2.undistortPoints(centres, camera.K, np.array(distortion.coefficients), criteria=until)
    rays = np.dstack([flat.reshape(72, 96, 2), np.ones((72, 96))]) @ camera.world2cam[:3, :3]
    u, v = np.array([0.5, 0, -1.9]), np.array([0, 1.4, 0])
    normal = np.cross(u, v)
    start = camera.position_world - (0, 1, 0)
    depth = -(start @ normal) / (rays @ normal)
    hit = start + depth[..., None] * rays
    along, up = hit @ u / (u @ u), hit @ v / (v @ v)
    reach = np.maximum(np.abs(along), np.abs(up))
    clear = np.abs(reach - 1) > 0.002
    np.testing.assert_array_equal((frame.ids == 1)[clear], (reach < 1)[clear])
    assert 0.2 < (reach < 1).mean() < 0.8
    np.testing.assert_allclose(frame.depth_m[frame.ids == 1], depth[frame.ids == 1], rtol=1e-4)

    # A pixel wholly on the card is bright, one wholly beside it dark.
    span = np.abs(np.stack(np.gradient(reach))).max(axis=0) + 1e-3
    bright = frame.rgb.mean(axis=-1)
    assert bright[reach < 1 - 2 * span].min() > 150
    assert bright[reach > 1 + 2 * span].max() < 60

    # And the edges are bent: a pinhole sees another card.
    plain = any_renderer.render(
        make_shot([person(card)], [wall], EVEN, WIDE), quality=Quality.DRAFT
    )
    assert (plain.ids != frame.ids).sum() > 50


def edge_shot(camera: Camera, depth_m: float):
    """A white card to the left of the optical axis, at a depth, before a black wall."""
    far = 3 - depth_m
    card = rectangle("card", (far, 1, 5), (0, 0, -5), (0, 5, 0), WHITE)
    wall = rectangle("wall", (-6, 1, 0), (0, 0, -60), (0, 60, 0), DARK)
    return make_shot([person(card)], [wall], EVEN, camera)


@pytest.mark.parametrize(("depth_m", "focus_m"), [(2.0, 2.0), (2.0, 1.0), (2.0, 6.0)])
def test_blur_is_that_of_a_thin_lens_and_labels_stay_sharp(
    any_renderer, depth_m: float, focus_m: float
) -> None:
    sharp = look_at((3, 1, 0), (0, 1, 0), focal_px=100, width=96, height=12)
    camera = replace(sharp, aperture_m=0.3, focus_m=focus_m)
    frame = any_renderer.render(edge_shot(camera, depth_m), quality=Quality.FINAL)
    pinhole = any_renderer.render(edge_shot(sharp, depth_m), quality=Quality.DRAFT)
    np.testing.assert_array_equal(frame.ids, pinhole.ids)
    np.testing.assert_array_equal(frame.depth_m, pinhole.depth_m)

    blurred_px = 100 * 0.3 * abs(1 / depth_m - 1 / focus_m)
    light = undevelop(frame.rgb).mean(axis=(0, 2))
    white, black = light[:12].mean(), light[-12:].mean()
    light = (light - black) / (white - black)
    inside = (light > 0.15) & (light < 0.85)
    # An edge under a disk: from 15 to 85 % lies 0.57 of its diameter.
    assert abs(inside.sum() - 0.57 * blurred_px) < 2.1
    np.testing.assert_allclose(light.sum(), 48, atol=2)  # the edge stays in the middle
