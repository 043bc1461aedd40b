"""Pictures as bytes: what decoders of others make of them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from spinetrack_synth.rendering.server.encoding import encode


@pytest.fixture
def picture() -> np.ndarray:
    """Seven rows of five pixels, all different, opaque."""
    rng = np.random.default_rng(5)
    picture = rng.integers(0, 256, (7, 5, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


def test_bmp_has_the_pixels_last_blue_first_and_the_top_row_first(picture) -> None:
    """As gym-unrealcv reads it, and whoever knows the size: the last bytes of the file."""
    content = np.frombuffer(encode(picture, "bmp"), dtype=np.uint8)
    pixels = content[-7 * 5 * 4 :].reshape(7, 5, 4)
    np.testing.assert_array_equal(pixels[..., :3][..., ::-1], picture[..., :3])
    assert (pixels[..., 3] == 255).all()


def test_bmp_has_the_header_that_unrealcv_writes(picture) -> None:
    content = encode(picture, "bmp")
    assert len(content) == 54 + 7 * 5 * 4
    numbers = np.frombuffer(content, dtype="<i4", offset=2, count=5)
    assert content[:2] == b"BM"
    assert numbers.tolist() == [len(content), 0, 54, 40, 5]
    assert np.frombuffer(content, dtype="<i4", offset=22, count=1)[0] == -7
    assert np.frombuffer(content, dtype="<u2", offset=26, count=2).tolist() == [1, 32]


def test_readers_of_bmp_see_the_picture(picture) -> None:
    content = encode(picture, "bmp")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), picture[..., :3])
    cv2 = pytest.importorskip("cv2")
    seen = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(seen[..., 2::-1], picture[..., :3])


def test_png_and_npy_bring_the_picture_back(picture) -> None:
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(encode(picture, "png")))), picture
    )
    np.testing.assert_array_equal(np.load(io.BytesIO(encode(picture, "npy"))), picture)
