"""What clothes are cut from, and the measures of the body that they are cut for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.assets import ARM_BONES, BodyData
from spinetrack_synth.avatars.body import RestBody, body_vertices
from spinetrack_synth.avatars.mesh import Sheet, averaging, group_sheet, mask_at, smooth_sheet
from spinetrack_synth.avatars.skinning import vertex_normals


@dataclass(frozen=True, eq=False)
class Suit:
    """What all garments are cut from, the same for every body.

    ``sheet`` the subdivided helper with uv in the unit square; ``arm`` (P,) 0..1 how much a vertex
    belongs to an arm; ``side`` (P,) -1 left, 1 right, 0 middle; ``smooth`` (W, W) averaging;
    ``skin_near`` (P, 4) nearest skin vertices; ``sheet_near`` (S,) nearest sheet vertex of each
    skin vertex, -1 where none is near; ``midline``, ``armpit`` and
    ``nipples`` indices into P.
    """

    sheet: Sheet
    arm: Array
    side: Array
    smooth: csr_array
    skin_near: Ints
    sheet_near: Ints
    midline: Ints
    armpit: Ints
    nipples: Ints


@dataclass(frozen=True, eq=False)
class Figure:
    """A body's measures for the tailor: ``points`` (P, 3) the suit at rest with ``normals``.

    ``clearance_m`` (P,) how far the suit must be lifted to lie on the skin, ``arm`` (P,) as in
    ``Suit``; joints (2, 3) left then right; ``crotch_y``, ``armpit_y``, ``bust_y`` m; ``bust``
    (N, 3) the points that every top covers.
    """

    points: Array
    normals: Array
    clearance_m: Array
    arm: Array
    hips: Array
    knees: Array
    ankles: Array
    shoulders: Array
    elbows: Array
    wrists: Array
    nape: Array
    crotch_y: float
    armpit_y: float
    bust_y: float
    bust: Array

    def height(self, fraction: float) -> float:
        """World Y of a torso fraction, 0 crotch .. 1 nape."""
        return self.crotch_y + fraction * (float(self.nape[1]) - self.crotch_y)


@lru_cache(maxsize=2)
def suit(data: BodyData) -> Suit:
    """The suit of a base mesh."""
    from scipy.spatial import KDTree

    sheet = smooth_sheet(data, "helper-tights")
    low, high = sheet.uv.min(axis=0), sheet.uv.max(axis=0)
    sheet = replace(sheet, uv=0.01 + 0.98 * (sheet.uv - low) / (high - low).max())
    neutral = sheet.stencil @ data.vertices.astype(np.float64)
    skin = data.vertices[body_vertices(data)].astype(np.float64)
    arm = sheet.stencil @ data.share_of(data.bones_named(*ARM_BONES))
    side = np.where(np.abs(neutral[:, 0]) < 1e-3, 0.0, -np.sign(neutral[:, 0]))
    distance, near = KDTree(neutral).query(skin)
    border = np.flatnonzero((arm > 0.35) & (arm < 0.65))
    lowest = [border[side[border] == s] for s in (-1, 1)]
    armpit = [index[np.argsort(neutral[index, 1])[:3]] for index in lowest]
    body = group_sheet(data, "body")
    areola = body.stencil.indices[mask_at(data, "aureolae", body) > 0.5]
    return Suit(
        sheet=sheet,
        arm=arm,
        side=side,
        smooth=averaging(sheet),
        skin_near=KDTree(skin).query(neutral, k=4)[1],
        sheet_near=np.where(distance < 0.35, near, -1),  # decimetres
        midline=np.flatnonzero(side == 0),
        armpit=np.concatenate(armpit),
        nipples=np.unique(near[areola]),
    )


def measure(data: BodyData, rest: RestBody) -> Figure:
    """Take a body's measures."""
    pattern = suit(data)
    points = pattern.sheet.stencil @ rest.vertices_world
    normals = vertex_normals(points, pattern.sheet.faces, pattern.sheet.weld).astype(np.float64)
    skin = rest.vertices_world[pattern.skin_near]
    above = np.einsum("pkj,pj->pk", skin - points[:, None], normals).max(axis=1)

    def joints(bone: str) -> Array:
        return np.stack([rest.bone_head[data.bones.index(bone + side)] for side in (".L", ".R")])

    middle = points[pattern.midline]
    return Figure(
        points=points,
        normals=normals,
        clearance_m=smoothed(pattern, np.clip(above, -0.006, 0.008), 4) + 0.0005,
        arm=pattern.arm,
        hips=joints("upperleg01"),
        knees=joints("lowerleg01"),
        ankles=joints("foot"),
        shoulders=joints("upperarm01"),
        elbows=joints("lowerarm01"),
        wrists=joints("wrist"),
        nape=rest.bone_head[data.bones.index("neck01")],
        crotch_y=float(middle[:, 1].min()),
        armpit_y=float(points[pattern.armpit, 1].mean()),
        bust_y=float(points[pattern.nipples, 1].mean()),
        bust=points[pattern.nipples],
    )


def along_limb(points: Array, start: Array, middle: Array, end: Array, side: Array) -> Array:
    """Place along a limb (N,): 0 first joint, 1 middle, 2 last. Joints are (2, 3), left first."""
    limb = (side > 0).astype(int)
    a, b, c = start[limb], middle[limb], end[limb]
    upper = np.einsum("ij,ij->i", points - a, b - a) / np.einsum("ij,ij->i", b - a, b - a)
    lower = np.einsum("ij,ij->i", points - b, c - b) / np.einsum("ij,ij->i", c - b, c - b)
    place: Array = np.where(upper + lower < 1, upper, 1 + lower)
    return place


def smoothed(pattern: Suit, values: Array, steps: int) -> Array:
    """Values (P,) averaged over their neighbours so many times."""
    weld = pattern.sheet.weld
    distinct: Array = np.zeros(int(weld.max()) + 1)
    distinct[weld] = values
    for _ in range(steps):
        distinct = pattern.smooth @ distinct
    return distinct[weld]
