"""Relief of cloth: slopes in metres, folds where bodies bend."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from spinetrack_synth.avatars.body import MIDDLE_BUILD, shape
from spinetrack_synth.avatars.figure import measure, suit
from spinetrack_synth.avatars.mesh import Sheet
from spinetrack_synth.avatars.relief import relief_image
from spinetrack_synth.avatars.textures import texel_map
from spinetrack_synth.avatars.wrinkles import SIZE, SOFTNESS, wrinkles


@pytest.mark.parametrize("skew", [0.0, 0.6])
def test_a_slope_is_that_of_the_heights_in_metres(skew: float) -> None:
    """A square of 2 m by 1 m, sheared, under a plane: its normal is known."""
    uv = np.array([[0.05, 0.05], [0.95, 0.05], [0.95, 0.95], [0.05, 0.95]])
    along_u, along_v = np.array([2.0, 0.0, 0.0]), np.array([skew, 1.0, 0.0])
    points = uv[:, :1] * along_u + uv[:, 1:] * along_v
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    sheet = Sheet(csr_array(np.eye(4)), faces, uv, np.arange(4, dtype=np.int32))
    texels = texel_map(sheet, 64)
    slope = np.array([0.3, -0.2])
    image = relief_image(texels, sheet, points, texels.at(points)[:, :2] @ slope)
    normal = image[32, 32] / 127.5 - 1
    expected = np.array([*-slope, 1.0]) / np.linalg.norm([*slope, 1.0])
    np.testing.assert_allclose(normal, expected, atol=0.02)


def test_cloth_folds_more_at_joints_and_the_looser_it_is(body_data) -> None:
    figure = measure(body_data, shape(body_data, MIDDLE_BUILD))
    texels = texel_map(suit(body_data).sheet, SIZE)
    points = texels.at(figure.points)
    elbows, chest = (np.zeros(len(points), bool) for _ in range(2))
    for elbow in figure.elbows:
        elbows |= np.linalg.norm(points - elbow, axis=1) < 0.07
    chest = (np.abs(points[:, 2]) < 0.1) & (np.abs(points[:, 1] - figure.bust_y) < 0.05)
    steepness = {}
    for softness in SOFTNESS:
        image = wrinkles(body_data, softness, 0)
        assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8
        flat = image.reshape(-1, 3)[texels.texel].astype(float) / 127.5 - 1
        assert np.abs(np.linalg.norm(flat, axis=1) - 1).max() < 0.02 and flat[:, 2].min() > 0.5
        steep = np.hypot(flat[:, 0], flat[:, 1])
        steepness[softness] = steep[elbows].mean()
        assert steep[elbows].mean() > 1.5 * steep[chest].mean()
    assert steepness["tight"] < steepness["easy"] < steepness["loose"]
    assert (wrinkles(body_data, "easy", 0) != wrinkles(body_data, "easy", 1)).any()
