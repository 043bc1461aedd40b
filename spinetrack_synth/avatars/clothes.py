"""Garments: cut from the tights helper along anatomical lines, eased away from the body, sewn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.cuts import INSIDE_M, Cut, edge_distances
from spinetrack_synth.avatars.cutting import (
    Cloth,
    carry,
    clip,
    largest_pieces,
    lay_out,
    open_edges,
    used_points,
)
from spinetrack_synth.avatars.drape import cloth_offsets
from spinetrack_synth.avatars.figure import Figure, suit
from spinetrack_synth.avatars.mesh import Sheet, corners_in, largest_areas
from spinetrack_synth.easing import smoothstep

_LAYER_M = 0.0025
_CLOTH_M = 0.002
_TURN_UP_M = 0.02
_EDGE_M = 0.004
"""Skin so near the edge of a garment may stand out beside it."""


@dataclass(frozen=True, eq=False)
class Garment:
    """A garment on a body: its field values and offsets over the whole suit.

    ``fields`` edge name -> (P,) m, positive inside; ``depth_m`` (P,) distance inside the nearest
    edge, negative off the garment; ``offset_m`` (P,).
    """

    cut: Cut
    fields: dict[str, Array]
    depth_m: Array
    offset_m: Array


@dataclass(frozen=True, eq=False)
class Piece:
    """A garment's mesh as ``Part`` wants it.

    ``carry`` (Q, P) makes its vertices of the suit's, ``stencil`` (Q, V) of the base mesh's;
    ``hem`` names the vertices along each edge.
    """

    carry: csr_array
    stencil: csr_array
    faces: NDArray[np.int32]
    uv: Array
    weld: NDArray[np.int32]
    offset_m: Array
    hem: dict[str, Ints]


def tailor(data: BodyData, figure: Figure, cut: Cut, rng: np.random.Generator) -> Garment:
    """Lay a cut on a body."""
    pattern = suit(data)
    fields = edge_distances(figure, cut, figure.points, figure.arm, pattern.side)
    inside: Array = np.min(list(fields.values()), axis=0)
    worn = largest_areas(pattern.sheet, inside > 0, cut.pieces)
    depth = inside.copy()
    depth[~worn] = np.minimum(inside[~worn], -INSIDE_M)
    return Garment(cut, fields, depth, cloth_offsets(pattern, figure, cut, fields, rng))


def over(outer: Garment, inner: Garment) -> Garment:
    """The outer garment lifted above an inner one where they overlap."""
    between = _LAYER_M if inner.cut.skirt is None else 4 * _LAYER_M
    lift = np.where(inner.depth_m > -0.01, inner.offset_m + between, 0.0)
    return replace(outer, offset_m=np.maximum(outer.offset_m, lift))


def sew(
    data: BodyData,
    figure: Figure,
    garment: Garment,
    hidden_m: Array | None = None,
) -> Piece:
    """The garment's mesh with hems turned inward; ``hidden_m`` (P,) > 0 where others cover it."""
    whole = suit(data).sheet
    count = len(garment.fields)
    known = [*garment.fields.values(), garment.offset_m, figure.clearance_m]
    edges = list(range(count))
    if hidden_m is not None:
        edges.append(len(known))
        known.append(-hidden_m)
    values = np.stack(known, axis=1)
    # What lies beyond one of the edges is left out at once.
    beyond = (corners_in(values[:, k] > 0, whole.faces) == 0 for k in edges)
    near = ~np.logical_or.reduce(list(beyond))
    cloth = lay_out(whole, values, near)
    for k in edges:
        cloth = clip(cloth, cloth.values[:, k])
    cloth = used_points(largest_pieces(cloth, garment.cut.pieces))
    at = cloth.values
    offset, clearance = at[:, count], at[:, count + 1]
    seams = _Seams(cloth, offset)
    for k, name in enumerate(garment.fields):
        edge = open_edges(cloth, np.abs(at[:, k]) < 1e-7)
        if len(edge):
            if garment.cut.loose:
                seams.turn_in(name, edge, _TURN_UP_M - at[:, k], offset - _CLOTH_M)
            else:  # down to the skin
                under = np.minimum(offset, clearance) - 0.001
                seams.turn_in(name, edge, 0.4 * _TURN_UP_M - at[:, k], under)
    return seams.piece(whole)


def skin_depth_m(data: BodyData, garment: Garment) -> Array:
    """How deep (S,) each skin vertex lies inside the garment's edges; negative where it is bare."""
    near = suit(data).sheet_near
    return np.where(near >= 0, garment.depth_m[near], -INSIDE_M)


def skin_below(data: BodyData, garments: tuple[Garment, ...]) -> tuple[NDArray[np.bool_], Array]:
    """What clothes do to the skin: mask (S,) of vertices to leave out, and offsets (S,) m.

    Skin deep under cloth is left out; between there and the hem it draws back, so that no pose
    pushes it through.
    """
    count = len(suit(data).sheet_near)
    hidden, offset = np.zeros(count, bool), np.zeros(count)
    for garment in garments:
        depth = skin_depth_m(data, garment)
        margin = 0.045 if garment.cut.loose else 0.022
        hidden |= depth > margin
        drawn = (0.012 if garment.cut.loose else 0.005) * smoothstep(0.003, margin, depth)
        offset = np.minimum(offset, -drawn)
    return hidden, offset


def cloth_over_skin_m(data: BodyData, garments: tuple[Garment, ...]) -> Array:
    """How far (S,) from the suit the innermost cloth lies that covers each vertex of the skin;
    infinite where it is bare."""
    near = suit(data).sheet_near
    above = np.full(len(near), np.inf)
    for garment in garments:
        covered = skin_depth_m(data, garment) > _EDGE_M
        above = np.where(covered, np.minimum(above, garment.offset_m[near]), above)
    return above


class _Seams:
    """Cloth that grows its hems: strips turned inward along its cut edges."""

    def __init__(self, cloth: Cloth, offset_m: Array) -> None:
        self.cloth = cloth
        self.layers, self.offsets = [cloth], [offset_m]
        self.faces, self.welds = [cloth.faces], [cloth.weld]
        self.hems: dict[str, Ints] = {}

    def turn_in(self, name: str, edge: NDArray[np.int32], width: Array, inner_m: Array) -> None:
        """Line the cloth where ``width`` (Q,) > 0 at ``inner_m`` (Q,), joined along ``edge``."""
        values = np.concatenate([self.cloth.values, inner_m[:, None]], axis=1)
        whole = clip(replace(self.cloth, values=values), width)
        start = sum(map(len, self.offsets))
        old = np.unique(whole.faces[whole.faces < len(width)])
        twin = np.full(len(width), -1)
        twin[old] = np.arange(len(old)) + start
        lining = used_points(whole)
        a, b = edge.T
        c, d = twin[edge].T
        self.faces += [lining.faces + start, np.stack([b, a, c], 1), np.stack([b, c, d], 1)]
        self.layers.append(lining)
        self.offsets.append(lining.values[:, -1])
        self.welds.append(lining.weld + 1 + max(int(weld.max()) for weld in self.welds))
        self.hems[name] = np.unique(edge).astype(np.int64)

    def piece(self, whole: Sheet) -> Piece:
        """All of it, of a sheet that was laid out ``whole``."""
        corner = np.concatenate([layer.corner for layer in self.layers])
        share = np.concatenate([layer.share for layer in self.layers])
        carried = carry(corner, share, len(whole.weld))
        return Piece(
            carry=carried,
            stencil=csr_array(carried @ whole.stencil),
            faces=np.concatenate(self.faces).astype(np.int32),
            uv=carried @ whole.uv,
            weld=np.concatenate(self.welds).astype(np.int32),
            offset_m=np.concatenate(self.offsets),
            hem=self.hems,
        )
