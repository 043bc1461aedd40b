"""Pictures and videos read and written with OpenCV, in its order of colours: blue, green, red."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError

Picture = NDArray[np.uint8]


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
