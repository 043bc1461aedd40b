"""Drawing on pictures: Pillow's, which every install has, and OpenCV's arrays, fast and smooth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from spinetrack_synth.drawing.palette import VEIL, Color
from spinetrack_synth.drawing.person import Dashes, Edge, Floats

FINE: Final = 3
"""OpenCV draws to 1/8 of a pixel: it counts places in 2**-FINE pixels."""
FAR_PX: Final = 1e5
"""Places farther off are drawn here, where they still fit OpenCV's integers."""


class PillowCanvas:
    """A Pillow picture, drawn on in place; without anti-aliasing."""

    def __init__(self, picture: Image.Image) -> None:
        self._picture = picture
        self._draw = ImageDraw.Draw(picture)

    def line(self, a: Floats, b: Floats, color: Color, width: float, dashes: Dashes = None) -> None:
        for start, end in _dashed(a, b, dashes):
            self._draw.line([_pair(start), _pair(end)], color, width=round(width))

    def circle(self, center: Floats, radius: float, fill: Color | None, edge: Edge = None) -> None:
        color, width = edge or (None, 0)
        self._draw.circle(_pair(center), radius, fill, color, width=max(1, round(width)))

    def mask(self, mask: NDArray[np.bool_], color: Color) -> None:
        veil = Image.fromarray((mask * round(255 * VEIL)).astype(np.uint8))
        self._picture.paste(color, (0, 0), veil)


class OpenCvCanvas:
    """A picture (H, W, 3), blue, green, red, drawn on in place."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self._picture = picture

    def line(self, a: Floats, b: Floats, color: Color, width: float, dashes: Dashes = None) -> None:
        import cv2

        if dashes is not None:  # OpenCV's ends are round, and reach beyond the dash
            dashes = max(dashes[0] - width, 1 / 2**FINE), dashes[1] + width
        thick = max(1, round(width))
        for start, end in _dashed(a, b, dashes):
            cv2.line(self._picture, _fine(start), _fine(end), color[::-1], thick, cv2.LINE_AA, FINE)

    def circle(self, center: Floats, radius: float, fill: Color | None, edge: Edge = None) -> None:
        import cv2

        if fill is not None:
            size = max(1, round(radius * 2**FINE))
            cv2.circle(
                self._picture, _fine(center), size, fill[::-1], cv2.FILLED, cv2.LINE_AA, FINE
            )
        if edge is not None:
            color, width = edge
            size = max(1, round((radius - width / 2) * 2**FINE))
            thick = max(1, round(width))
            cv2.circle(self._picture, _fine(center), size, color[::-1], thick, cv2.LINE_AA, FINE)

    def mask(self, mask: NDArray[np.bool_], color: Color) -> None:
        height, width = (min(ends) for ends in zip(mask.shape, self._picture.shape))
        mask = mask[:height, :width]
        part = self._picture[:height, :width]
        part[mask] = np.rint((1 - VEIL) * part[mask] + VEIL * np.array(color[::-1]))


def _pair(point: Floats) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def _fine(point: Floats) -> list[int]:
    places: list[int] = np.rint(np.clip(point, -FAR_PX, FAR_PX) * 2**FINE).astype(int).tolist()
    return places


def _dashed(a: Floats, b: Floats, dashes: Dashes) -> Iterator[tuple[Floats, Floats]]:
    """The parts of a line that are drawn."""
    if dashes is None:
        yield a, b
        return
    a, b = np.clip((a, b), -FAR_PX, FAR_PX)
    length, (on, off) = float(np.hypot(*(b - a))), dashes
    for start in np.arange(0.0, length, on + off):
        yield a + (b - a) * (start / length), a + (b - a) * (min(start + on, length) / length)
