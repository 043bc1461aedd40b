"""Pictures of views as bytes of PNG, BMP and npy; depth and normals as colours to look at."""

from __future__ import annotations

import io
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.rendering.server.level import LevelError

Picture = NDArray[np.uint8] | NDArray[np.float32]
"""Colours, or depth and normals."""

DEPTH_SHOWN_CM: Final = 2000.0
"""From here on a depth written as a picture is black."""

FORMATS: Final = ("png", "bmp", "npy")


def shown_depth(depth_cm: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A depth to look at, (H, W, 4): white is near, black is far."""
    grey = 255 * (1 - np.minimum(depth_cm / DEPTH_SHOWN_CM, 1))
    return opaque(np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=-1))


def shown_normal(normal: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Normals as colours, (H, W, 4): -1 is 0, 1 is 255; black where there is none."""
    color = np.rint((normal + 1) * 127.5).astype(np.uint8)
    color[~normal.any(axis=-1)] = 0
    return opaque(color)


def encode(picture: Picture, form: str) -> bytes:
    """An array (H, W, 4) uint8 as ``png`` or ``bmp``, any array as ``npy``.

    Raises LevelError for another form.
    """
    buffer = io.BytesIO()
    if form == "npy":
        np.save(buffer, picture, allow_pickle=False)
    elif form == "png":
        from PIL import Image

        Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    elif form == "bmp":
        buffer.write(_bmp_header(picture.shape[1], picture.shape[0]))
        buffer.write(picture[..., [2, 1, 0, 3]].tobytes())
    else:
        raise LevelError(f"Invalid filename type, filename {form}")
    return buffer.getvalue()


def opaque(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours (H, W, 3) as RGBA (H, W, 4)."""
    rgba = np.full((*rgb.shape[:2], 4), 255, dtype=np.uint8)
    rgba[..., :3] = rgb
    return rgba


def _bmp_header(width: int, height: int) -> bytes:
    """The 54 bytes before the pixels, as UnrealCV fills them in.

    32 bits a pixel, blue first; the negative height says that the top row comes first.
    """
    start, size = 54, 4 * width * height
    return struct.pack("<2sIHHI", b"BM", start + size, 0, 0, start) + struct.pack(
        "<IiiHHIIiiII", 40, width, -height, 1, 32, 0, 0, 1024, 1024, 0, 0
    )
