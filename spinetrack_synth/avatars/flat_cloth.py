"""The suit laid flat: where on a body each texel of a garment lies, and where on its cloth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import MIDDLE_BUILD, shape
from spinetrack_synth.avatars.cloth_grid import PIECE_M, shirt_grid, trouser_grid
from spinetrack_synth.avatars.clothes import Garment
from spinetrack_synth.avatars.figure import Figure, along_limb, measure, suit
from spinetrack_synth.avatars.textures import TexelMap, texel_map
from spinetrack_synth.easing import smoothstep

SIZE: Final = 1024


@dataclass(frozen=True, eq=False)
class Flat:
    """The suit laid flat, once for all bodies: where on a body of middle build its texels lie.

    Patterns are painted in this body's metres, edges of garments in the wearer's. All float32 over
    the N covered texels: ``points`` and ``normals`` (N, 3); ``leg`` and ``along_arm`` 0 .. 2 along
    the limbs; ``arm`` 0..1; ``fore`` m before the middle line of trunk and leg; ``side_m`` m from
    the line down the outer side; ``crease`` darkening where cloth folds; ``shirt`` and ``trouser``
    (N, 2) m across and along the cloth of tops and of trousers.
    """

    figure: Figure
    texels: TexelMap
    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    leg: NDArray[np.float32]
    along_arm: NDArray[np.float32]
    arm: NDArray[np.float32]
    fore: NDArray[np.float32]
    side_m: NDArray[np.float32]
    crease: NDArray[np.float32]
    shirt: NDArray[np.float32]
    trouser: NDArray[np.float32]


@lru_cache(maxsize=1)
def laid_flat(data: BodyData) -> Flat:
    """The suit of a base mesh laid flat."""
    figure, pattern = measure(data, shape(data, MIDDLE_BUILD)), suit(data)
    leg = along_limb(figure.points, figure.hips, figure.knees, figure.ankles, pattern.side)
    arm = along_limb(figure.points, figure.shoulders, figure.elbows, figure.wrists, pattern.side)
    axis_x = _limb_axis_x(figure, leg, pattern.side)
    outward = figure.normals[:, 2] * np.sign(figure.points[:, 2])
    columns = [figure.points, figure.normals, leg, arm, pattern.arm]
    columns += [figure.points[:, 0] - axis_x, outward]
    texels = texel_map(pattern.sheet, SIZE)
    at = texels.at(np.concatenate([np.reshape(c, (len(leg), -1)) for c in columns], axis=1))
    points, normals, fore = (
        np.ascontiguousarray(part) for part in (at[:, :3], at[:, 3:6], at[:, 9])
    )
    return Flat(
        figure=figure,
        texels=texels,
        points=points,
        normals=normals,
        leg=at[:, 6].copy(),
        along_arm=at[:, 7].copy(),
        arm=at[:, 8].copy(),
        fore=fore,
        side_m=np.where(at[:, 10] > 0.2, np.abs(fore), 1.0).astype(np.float32),
        crease=_creases(figure, points, normals),
        shirt=shirt_grid(figure, points, at[:, 8]),
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
    cloth; ``opens`` tells whether it does down the front; the others as ``Flat`` has them.
    """

    def __init__(self, flat: Flat, garment: Garment, ours: Ints) -> None:
        self.points, self.normals = flat.points[ours], flat.normals[ours]
        self.leg, self.along_arm, self.arm = flat.leg[ours], flat.along_arm[ours], flat.arm[ours]
        self.fore, self.side_m = flat.fore[ours], flat.side_m[ours]
        edges = flat.texels.at(np.stack(list(garment.fields.values()), axis=1), ours)
        self.field = dict(zip(garment.fields, np.ascontiguousarray(edges.T)))
        self.figure = flat.figure
        self.trousers = garment.cut.leg is not None and garment.cut.neck is None
        self.legs = garment.cut.leg is not None
        self.opens = garment.cut.front is not None or garment.cut.buttoned
        self.grid = (flat.trouser if self.trousers else flat.shirt)[ours]

    @property
    def on_trunk(self) -> NDArray[np.bool_]:
        """Which texels are on the front or back of a top."""
        return (self.arm < 0.5) & (not self.trousers)

    @property
    def back_m(self) -> NDArray[np.float32]:
        """Where on the cloth of a top the back's middle line is at the trunk's height, (2,) m."""
        return np.array([PIECE_M, 0.0], np.float32)

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
