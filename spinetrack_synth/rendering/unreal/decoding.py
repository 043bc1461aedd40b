"""From an engine's replies to arrays, refusing what cannot be the picture asked for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.rendering.unreal.errors import WrongPicture
from spinetrack_synth.rendering.unreal.session import Reply

Color = tuple[int, int, int]

COLORS: Final[tuple[Color, ...]] = tuple(
    (red, green, blue)
    for red in (48, 128, 208)
    for green in (48, 128, 208)
    for blue in (48, 128, 208)
    if not red == green == blue
)
"""Colours of people in the object mask: 80 apart in some channel, and none below the 32 that some
engines lose."""

PLAIN: Final[Color] = (32, 32, 32)
"""Given to whatever else has a colour that could be taken for a person's."""

NEAR: Final = 12
"""Difference in each channel up to which a pixel is of a colour: engines round."""

SKY_CM: Final = 65_000.0
"""Depth from which on there is nothing: the largest numbers of a float16 stand for the sky."""

DARK: Final = 8
"""A picture whose brightest pixel is not above this is black."""


def decode_rgb(reply: Reply, width: int, height: int, what: str) -> NDArray[np.uint8]:
    """A PNG's red, green and blue (H, W, 3). Raises WrongPicture."""
    if isinstance(reply, str):
        raise WrongPicture(f"{what}: {reply[:60]!r} is no picture")
    try:
        with Image.open(io.BytesIO(reply)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except Exception as error:  # Pillow raises what it likes on damaged files
        raise WrongPicture(f"{what}: a damaged PNG ({error})") from None
    _check_size(pixels.shape[1], pixels.shape[0], width, height, what)
    return pixels


def decode_depth(reply: Reply, width: int, height: int, per_cm: float) -> NDArray[np.float32]:
    """Depth (H, W) in m along the optical axis, inf where nothing is. Raises WrongPicture.

    ``per_cm`` is what the engine writes for one centimetre.
    """
    if isinstance(reply, str):
        raise WrongPicture(f"depth: {reply[:60]!r} is no array")
    try:
        array = np.load(io.BytesIO(reply), allow_pickle=False)
    except Exception as error:
        raise WrongPicture(f"depth: a damaged npy file ({error})") from None
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 or array.dtype.kind != "f":
        raise WrongPicture(f"depth: {array.dtype} {array.shape} is no picture of depths")
    _check_size(array.shape[1], array.shape[0], width, height, "depth")
    depth_cm = array.astype(np.float32) / np.float32(per_cm)
    if np.isnan(depth_cm).any() or (depth_cm <= 0).any():
        raise WrongPicture("depth: holds values that are no distances")
    depth_m = np.where(depth_cm < SKY_CM, depth_cm / np.float32(100), np.float32(np.inf))
    if (depth_m == depth_m.flat[0]).all():
        raise WrongPicture("depth: is the same everywhere")
    return depth_m


def check_lit(rgb: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    """Raises WrongPicture for a picture that is black, of one colour, or the mask over again."""
    if rgb.max() <= DARK:
        raise WrongPicture("lit: the picture is black")
    if (rgb == rgb[0, 0]).all():
        raise WrongPicture("lit: the picture is of one colour")
    if np.array_equal(rgb, mask):
        raise WrongPicture("lit: the engine sent the object mask in its place")


def decode_ids(mask: NDArray[np.uint8], colors: Sequence[Color]) -> NDArray[np.uint8]:
    """Ids (H, W) of a mask (H, W, 3): k where its colour is nearest to ``colors[k - 1]``."""
    ids = np.zeros(mask.shape[:2], dtype=np.uint8)
    pixels = mask.astype(np.int16)
    for number, color in enumerate(colors, start=1):
        ids[(np.abs(pixels - np.array(color, dtype=np.int16)) <= NEAR).all(axis=-1)] = number
    return ids


def is_near(color: Color, colors: Sequence[Color]) -> bool:
    """Could a thing of this colour be taken for one of the colours?"""
    return any(max(abs(a - b) for a, b in zip(color, other)) <= 2 * NEAR for other in colors)


def _check_size(found_w: int, found_h: int, width: int, height: int, what: str) -> None:
    if (found_w, found_h) != (width, height):
        raise WrongPicture(f"{what}: {found_w}x{found_h} pixels came, not {width}x{height}")
