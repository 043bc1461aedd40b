"""The suit laid flat: where on a body each texel of a garment lies, and where on its cloth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import MIDDLE_BUILD, shape
from spinetrack_synth.avatars.cloth_grid import PIECE_M, shirt_grid, trouser_grid
from spinetrack_synth.avatars.clothes import Garment
from spinetrack_synth.avatars.figure import Figure, along_limb, measure, suit
from spinetrack_synth.avatars.paintings import SIZES
from spinetrack_synth.avatars.textures import TexelMap, texel_map
from spinetrack_synth.easing import smoothstep

TEXEL_M: Final = 0.002
"""How long a texel of the largest picture is: the suit of middle build has 1.6 m2, 404,000 of them.
"""


@dataclass(frozen=True, eq=False)
class Flat:
    """The suit laid flat, once for all bodies: where on a body of middle build its texels lie.

    Patterns are painted in this body's metres, edges of garments in the wearer's. All float32 over
    the N covered texels: ``points`` and ``normals`` (N, 3); ``leg`` 0 .. 2 along it;
    ``arm`` 0..1; ``fore`` m before the middle line of trunk and leg; ``side_m`` m from
    the line down the outer side; ``crease`` darkening where cloth folds; ``shirt`` and ``trouser``
    (N, 2) m across and along the cloth of tops and of trousers. ``blur_m`` is over how much of
    the body a texel stands for more than one of the largest picture does.
    """

    figure: Figure
    texels: TexelMap
    blur_m: float
    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    leg: NDArray[np.float32]
    arm: NDArray[np.float32]
    fore: NDArray[np.float32]
    side_m: NDArray[np.float32]
    crease: NDArray[np.float32]
    shirt: NDArray[np.float32]
    trouser: NDArray[np.float32]


@lru_cache(maxsize=len(SIZES))
def laid_flat(data: BodyData, size: int = SIZES[-1]) -> Flat:
    """The suit of a base mesh laid flat in a picture with sides of ``size`` texels."""
    figure, pattern = measure(data, shape(data, MIDDLE_BUILD)), suit(data)
    leg = along_limb(figure.points, figure.hips, figure.knees, figure.ankles, pattern.side)
    axis_x = _limb_axis_x(figure, leg, pattern.side)
    outward = figure.normals[:, 2] * np.sign(figure.points[:, 2])
    columns = [figure.points, figure.normals, leg, pattern.arm]
    columns += [figure.points[:, 0] - axis_x, outward]
    texels = texel_map(pattern.sheet, size)
    at = texels.at(np.concatenate([np.reshape(c, (len(leg), -1)) for c in columns], axis=1))
    points, normals, fore = (
        np.ascontiguousarray(part) for part in (at[:, :3], at[:, 3:6], at[:, 8])
    )
    return Flat(
        figure=figure,
        texels=texels,
        blur_m=TEXEL_M * float(np.sqrt((SIZES[-1] / size) ** 2 - 1)),
        points=points,
        normals=normals,
        leg=at[:, 6].copy(),
        arm=at[:, 7].copy(),
        fore=fore,
        side_m=np.where(at[:, 9] > 0.2, np.abs(fore), 1.0).astype(np.float32),
        crease=_creases(figure, points, normals),
        shirt=shirt_grid(figure, points, at[:, 7]),
        trouser=trouser_grid(figure, points),
    )


def _creases(
    figure: Figure, points: NDArray[np.float32], normals: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Darkening where cloth folds: crotch, armpits, behind the knees."""
    crotch = np.array([0.0, figure.crotch_y, 0.0])
    dark = 0.22 * _spot(points - crotch, 0.035) * (np.abs(points[:, 2]) < 0.1)
    for knee in figure.knees:
        bands = 0.5 + 0.5 * np.sin(points[:, 1] * 2 * np.pi / 0.022 + 30 * points[:, 2])
        behind = _spot(points - knee, 0.045) * (normals[:, 0] < 0)
        dark = dark + 0.16 * behind * bands
    for shoulder in figure.shoulders:
        pit = np.array([shoulder[0], figure.armpit_y, shoulder[2]])
        dark = dark + 0.18 * _spot(points - pit, 0.03)
    creases: NDArray[np.float32] = np.clip(dark, 0, 0.4).astype(np.float32)
    return creases


class ClothTexels:
    """The painted texels of a garment, chosen from all that are laid flat; all arrays (N, ...).

    ``field`` edge name -> distance (N,) m inside that edge; ``grid`` (N, 2) m across and along its
    cloth; ``opens`` tells whether it does down the front, ``sewn_on`` whether it is a trim; the
    others as ``Flat`` has them.
    """

    def __init__(self, flat: Flat, garment: Garment, ours: Ints) -> None:
        self._flat, self._ours = flat, ours
        edges = flat.texels.at(np.stack(list(garment.fields.values()), axis=1), ours)
        self.field = dict(zip(garment.fields, np.ascontiguousarray(edges.T)))
        self.figure = flat.figure
        self.blur_m = flat.blur_m
        self.trousers = garment.cut.leg is not None and garment.cut.neck is None
        self.legs = garment.cut.leg is not None
        self.sewn_on = bool(garment.cut.sewn_on)
        self.opens = garment.cut.front is not None or garment.cut.buttoned

    @cached_property
    def points(self) -> NDArray[np.float32]:
        return self._flat.points[self._ours]

    @cached_property
    def normals(self) -> NDArray[np.float32]:
        return self._flat.normals[self._ours]

    @cached_property
    def leg(self) -> NDArray[np.float32]:
        return self._flat.leg[self._ours]

    @cached_property
    def arm(self) -> NDArray[np.float32]:
        return self._flat.arm[self._ours]

    @cached_property
    def fore(self) -> NDArray[np.float32]:
        return self._flat.fore[self._ours]

    @cached_property
    def side_m(self) -> NDArray[np.float32]:
        return self._flat.side_m[self._ours]

    @cached_property
    def grid(self) -> NDArray[np.float32]:
        return (self._flat.trouser if self.trousers else self._flat.shirt)[self._ours]

    @property
    def on_trunk(self) -> NDArray[np.bool_]:
        """Which texels are on the front or back of a top, where something may be printed."""
        return (self.arm < 0.5) & (not self.trousers and not self.sewn_on)

    @property
    def back_m(self) -> NDArray[np.float32]:
        """Where on the cloth of a top the back's middle line is at the trunk's height, (2,) m."""
        return np.array([PIECE_M, 0.0], np.float32)

    def left(self, size_m: float) -> float:
        """How much is left of the contrast of what is so small."""
        return size_m / float(np.hypot(size_m, self.blur_m))

    def wider(self, half_m: float) -> float:
        """How wide a line or edge is, smeared over a texel."""
        return float(np.hypot(half_m, 0.5 * self.blur_m))

    def arms(self) -> NDArray[np.float32]:
        """1 on the sleeves."""
        return smoothstep(0.42, 0.58, self.arm)


def _limb_axis_x(figure: Figure, leg: Array, side: Array) -> Array:
    """X of the middle line of trunk and legs at each vertex of the suit."""
    row = (side > 0).astype(int)
    joints = np.stack([figure.hips[:, 0], figure.knees[:, 0], figure.ankles[:, 0]])[:, row]
    place = np.clip(leg, 0, 2)
    first = np.minimum(place.astype(int), 1)
    column = np.arange(len(leg))
    low, high = joints[first, column], joints[first + 1, column]
    axis_x: Array = low + (high - low) * (place - first)
    return axis_x


def _spot(offset: Floats, spread_m: float) -> Floats:
    spot: Floats = np.exp(-(offset**2).sum(axis=1) / (2 * spread_m**2))
    return spot
