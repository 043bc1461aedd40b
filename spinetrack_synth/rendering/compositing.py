"""Drawn people onto a backdrop: by the part of each pixel that they cover, with their shadows.

Differential rendering (Debevec 1998): the ground is drawn with and without the people, and the
ratio of the two darkens the photograph.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt

Image = NDArray[np.float32]

BRIGHTER: Final = 1.3
"""Light that people throw onto the ground may lift it by so much; above it is noise."""

EMPTY, FULL = 1e-3, 1 - 1e-3
"""A pixel covered by less shows the backdrop alone, one covered by more the people."""

EDGE_PX: Final = 2.5
"""So near to a pixel that people fill, their colour at an edge is that pixel's."""

RIM_PX: Final = 3
"""The ground ends before the horizon; so far from its rim nothing is shaded."""


def compose(
    drawn: Image, bare: Image, covered: Image, ground: NDArray[np.bool_], backdrop: Image
) -> Image:
    """Linear light (H, W, 3) of the composite.

    ``drawn`` is the light of people on the ground, ``bare`` that of the ground alone, ``covered``
    (H, W) the part of each pixel before the ground and what is behind it, 0 to 1; ``ground`` (H, W)
    where the ground is to be seen; ``backdrop`` what takes its place.
    """
    behind = (1 - covered)[..., None]
    shade = _shade(drawn, bare, covered, ground)
    people = np.maximum(drawn - behind * shade * bare, 0)
    # The denoiser moves a little light over every edge: better the colour just inside it.
    near, inside = _nearest(covered < FULL, drawn)
    edge = (covered < FULL) & (near <= EDGE_PX)
    people[edge] = (covered[..., None] * inside)[edge]
    people[covered < EMPTY] = 0
    composed: Image = people + behind * shade * backdrop
    return composed


def _shade(drawn: Image, bare: Image, covered: Image, ground: NDArray[np.bool_]) -> Image:
    """What is left of the ground's light (H, W, 3) where people shade it; where they cover it, as
    beside them; 1 in the sky."""
    ratio = np.clip(drawn / np.maximum(bare, 1e-6), 0, BRIGHTER).astype(np.float32)
    # People hide the ground, and so does not its rim alone end it.
    rim = ~binary_erosion(ground | (covered >= EMPTY), iterations=RIM_PX, border_value=1)
    ratio[rim] = 1
    hidden = covered >= EMPTY
    if not hidden.all():
        ratio = _nearest(hidden, ratio)[1]
    return ratio


def _nearest(away: NDArray[np.bool_], image: Image) -> tuple[NDArray[np.float64], Image]:
    """For every pixel how far the nearest one outside ``away`` is, px, and the image there."""
    if away.all():
        return np.full(away.shape, np.inf), image
    distance, (rows, columns) = distance_transform_edt(away, return_indices=True)
    return distance, image[rows, columns]
