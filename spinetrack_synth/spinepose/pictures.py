"""Pictures read and written with OpenCV, in its order of colours: blue, green, red."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError

Picture = NDArray[np.uint8]

JPEG_SUFFIXES: Final = {".jpg", ".jpeg"}
PICTURE_SUFFIXES: Final = JPEG_SUFFIXES | {".png", ".bmp", ".webp", ".tif", ".tiff"}
JPEG_QUALITY: Final = 92


def read_picture(path: Path) -> Picture:
    """A picture (H, W, 3), turned upright where the camera noted how it was held.

    Raises UserError where there is none or it cannot be decoded.
    """
    import cv2

    try:
        content = np.frombuffer(Path(path).read_bytes(), np.uint8)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    if picture is None:
        raise UserError(f"{path}: no picture that OpenCV can decode")
    return picture.astype(np.uint8, copy=False)


def encode_picture(picture: Picture, suffix: str) -> bytes:
    """A picture as the content of a file of that ending, such as ``.jpg`` or ``.png``."""
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix.lower() in JPEG_SUFFIXES else []
    try:
        done, content = cv2.imencode(suffix, picture, quality)
    except cv2.error as error:
        raise UserError(f"{suffix}: OpenCV writes no pictures of this kind") from error
    if not done:
        raise UserError(f"{suffix}: OpenCV could not encode a picture")
    return bytes(content.tobytes())
