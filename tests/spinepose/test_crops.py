"""Crops show the picture where they say, and SimCC mirrors back to the pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.skeleton import MIRROR
from spinetrack_synth.spinepose.crops import (
    MEAN_RGB,
    PADDING,
    STD_RGB,
    crop_frames,
    cut,
    to_picture,
)
from spinetrack_synth.spinepose.simcc import decode, mirrored

SIZE_HW = (256, 192)
side = st.floats(5, 2000)


@given(x=st.floats(-500, 500), y=st.floats(-500, 500), width=side, height=side)
def test_a_crop_holds_its_padded_box_in_the_middle(
    x: float, y: float, width: float, height: float
) -> None:
    frame = crop_frames(np.array([[x, y, width, height]]), SIZE_HW)
    ends = to_picture(np.array([[[0.0, 0.0], [96, 128], [192, 256]]]), frame)[0]
    np.testing.assert_allclose(ends[1], [x + width / 2, y + height / 2])
    extent = ends[2] - ends[0]
    padded = PADDING * np.array([width, height])
    assert (extent >= padded * (1 - 1e-9)).all()
    assert np.isclose(extent, padded).any(), "no larger than it must be"


@given(
    scale=st.floats(0.2, 0.9), left=st.floats(0, 30), top=st.floats(0, 20),
    order=st.sampled_from(["rgb", "bgr"]),
)  # fmt: skip
def test_pixels_of_a_crop_show_what_lies_at_their_place(
    scale: float, left: float, top: float, order: str
) -> None:
    pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
    rows, columns = np.mgrid[:256, :256]
    image = np.stack([columns, rows, 255 - columns], axis=-1).astype(np.uint8)
    out = np.empty((3, *SIZE_HW), np.float32)
    cut(image, np.array([left, top, scale]), out, network_order=order)  # type: ignore[arg-type]
    colors = out * STD_RGB[:, None, None] + MEAN_RGB[:, None, None]
    if order == "bgr":
        colors = out[::-1] * STD_RGB[:, None, None] + MEAN_RGB[:, None, None]
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    at_x, at_y = left + scale * x, top + scale * y
    inside = (at_x < 255) & (at_y < 255)
    # OpenCV's bilinear weights have 5 bits, its values 8.
    np.testing.assert_allclose(colors[0][inside], at_x[inside], atol=0.6)
    np.testing.assert_allclose(colors[1][inside], at_y[inside], atol=0.6)
    np.testing.assert_allclose(colors[2][inside], 255 - at_x[inside], atol=0.6)
    beyond = (at_x > 256) | (at_y > 256)
    np.testing.assert_allclose(colors[:, beyond], 0, atol=1e-4)


@given(st.integers(0, 2**32 - 1))
def test_a_mirrored_answer_belongs_to_the_mirrored_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    twins = np.array(MIRROR)
    places = rng.integers(0, [192, 256], (37, 2))
    answers = [np.zeros((1, 37, 2 * n), np.float32) for n in (192, 256)]
    for axis in (0, 1):
        answers[axis][0, np.arange(37), 2 * places[:, axis]] = 1
    points, scores = decode(*mirrored(*answers, twins))
    expected = np.column_stack([191 - places[:, 0], places[:, 1]])[twins]
    np.testing.assert_array_equal(points[0], expected)
    assert (scores == 1).all()
