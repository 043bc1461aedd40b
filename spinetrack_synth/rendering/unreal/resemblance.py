"""Does a picture show the shot before, or does it still change? Pictures held against pictures.

Compared is structure: luminance without its finest and coarsest parts, in a small picture. It bears
noise, blur, compression and another exposure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.rendering.unreal.errors import WrongPicture
from spinetrack_synth.rendering.unreal.rectangles import cells, rectangle_sums

Image = NDArray[np.float32]
Turn = Callable[[NDArray[Any]], NDArray[Any]]
"""A picture of any kind, turned."""

WIDTH_PX: Final = 320
"""Larger pictures are made this wide first."""

BAND_PX: Final = (1.0, 5.0)
"""Of the blur that takes noise away, and of the one that takes exposure away."""

NEARNESS: Final = 0.05
"""Part of inverse depth by which something must be nearer or farther to be something else."""

FEWEST_PIXELS: Final = 400
"""Less that is something else proves nothing."""

ALIKE_LIMIT: Final = (0.3, 6.0)
"""Correlation from which on N pixels are of the other picture: a + b / sqrt(N)."""

PARTS: Final = (3, 4)
"""Rows and columns of cells; in every rectangle of them the picture may be the one before."""

PART_LIMIT: Final = (0.6, 6.0)
"""As `ALIKE_LIMIT` for such parts: there are sixty of them, and places have patterns."""

TILES: Final = (4, 4)
"""Rows and columns in which two pictures of one shot are compared."""

STRUCTURED: Final = 4.0
"""Grey levels of structure (standard deviation) from which on tiles must agree: noise of 10 leaves
2 in such a small picture."""

SETTLED: Final = 0.5
"""Least correlation of such tiles. These limits are from ``benchmarks/picture_proof.py``."""

WAYS: Final[tuple[tuple[str, Turn], ...]] = (
    ("", lambda picture: picture),
    (", mirrored", lambda picture: picture[:, ::-1]),
    (", upside down", lambda picture: picture[::-1]),
    (", turned around", lambda picture: picture[::-1, ::-1]),
)
"""How a picture may come turned."""


@dataclass(frozen=True)
class Impression:
    """What is kept of a picture, all (h, w): its structure, where people are, inverse depth."""

    structure: Image
    people: NDArray[np.bool_]
    nearness: Image

    def turned(self, turn: Turn) -> Impression:
        """Of the picture as it would be, turned."""
        return Impression(turn(self.structure), turn(self.people), turn(self.nearness))


def impression(
    rgb: NDArray[np.uint8], ids: NDArray[np.uint8], depth_m: NDArray[np.float32]
) -> Impression:
    """Of a picture (H, W, 3) with its ids (H, W) and depth (H, W) m."""
    import cv2

    size = _small_size(rgb)
    with np.errstate(divide="ignore"):
        nearness = np.where(np.isfinite(depth_m), 1 / depth_m, 0).astype(np.float32)
    return Impression(
        _structure(rgb),
        cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST) > 0,
        np.asarray(cv2.resize(nearness, size, interpolation=cv2.INTER_NEAREST), np.float32),
    )


def check_new(now: Impression, before: Impression) -> None:
    """Raises WrongPicture for a picture that shows the shot before.

    Only what mask and depth say is something else now counts: people may move before a camera that
    stays, and a shot may be drawn twice.
    """
    if now.structure.shape != before.structure.shape:
        return
    if np.array_equal(now.structure, before.structure) and _apart(now, before).any():
        raise WrongPicture("lit: shows the shot before, to the pixel")
    as_it_was = apart_inside(now, before)
    for way, turn in WAYS:
        old = before.turned(turn)
        apart = apart_inside(now, old) if way else as_it_was
        count, likeness = resemblance(now, old, apart)
        a, b = ALIKE_LIMIT
        if count >= FEWEST_PIXELS and likeness > a + b / np.sqrt(count):
            raise WrongPicture(
                f"lit: shows the shot before{way} (correlation {likeness:.2f} over {count} pixels "
                "that are something else now)"
            )
    for points, likeness in resemblance_of_parts(now, before, as_it_was):
        a, b = PART_LIMIT
        if likeness > a + b / np.sqrt(points):
            raise WrongPicture(
                f"lit: shows the shot before in part (correlation {likeness:.2f} over "
                f"{points:.0f} pixels that are something else now)"
            )


def apart_inside(now: Impression, before: Impression) -> NDArray[np.bool_]:
    """Where there is something else now (h, w), but for rims: those of things that stay are apart
    by chance. Both are of one size."""
    import cv2

    apart = _apart(now, before).astype(np.uint8)
    return cv2.erode(apart, np.ones((5, 5), np.uint8)) > 0


def resemblance(now: Impression, before: Impression, apart: NDArray[np.bool_]) -> tuple[int, float]:
    """How many pixels are ``apart`` (h, w) and their correlation."""
    count = int(np.count_nonzero(apart))
    return count, _correlation(now.structure[apart], before.structure[apart]) if count else 0.0


def resemblance_of_parts(
    now: Impression, before: Impression, apart: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """The same for every part of the picture with enough of such pixels."""
    a, b = now.structure[apart].astype(float), before.structure[apart].astype(float)
    values = np.stack([np.ones(len(a)), a, b, a * a, b * b, a * b])
    row, column = np.nonzero(apart)
    sums = rectangle_sums(cells(row, column, values, apart.shape, PARTS))
    count, mean_a, mean_b, aa, bb, ab = sums[:, sums[0] >= FEWEST_PIXELS]
    mean_a, mean_b = mean_a / count, mean_b / count
    spread = np.sqrt((aa / count - mean_a**2) * (bb / count - mean_b**2)) + 1e-6
    return list(zip(count.tolist(), ((ab / count - mean_a * mean_b) / spread).tolist()))


def _apart(now: Impression, before: Impression) -> NDArray[np.bool_]:
    step = NEARNESS * np.maximum(now.nearness, before.nearness)
    apart: NDArray[np.bool_] = np.abs(now.nearness - before.nearness) > step
    apart |= now.people != before.people
    return apart


def check_settled(earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> None:
    """Raises WrongPicture where two pictures (H, W, 3) of one shot, taken one after the other, show
    different things anywhere."""
    least = least_agreement(earlier, later)
    if least < SETTLED:
        raise WrongPicture(f"lit: still changes (correlation {least:.2f} with the one before it)")


def least_agreement(earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> float:
    """Least correlation of tiles with structure, 1 where there is none."""
    rows, columns = TILES
    least = 1.0
    pair = (_structure(earlier), _structure(later))
    for bands in zip(*(np.array_split(picture, rows) for picture in pair)):
        for a, b in zip(*(np.array_split(band, columns, axis=1) for band in bands)):
            if min(a.std(), b.std()) > STRUCTURED:
                least = min(least, _correlation(a, b))
    return least


def _structure(rgb: NDArray[np.uint8]) -> Image:
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, _small_size(rgb), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in BAND_PX)
    return fine - coarse


def _small_size(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Width and height, in cv2's order."""
    height, width = picture.shape[:2]
    scale = min(1.0, WIDTH_PX / width)
    return round(width * scale), max(1, round(height * scale))


def _correlation(a: Image, b: Image) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-6))
