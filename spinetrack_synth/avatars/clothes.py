"""Garments: cut from the tights helper along anatomical lines, eased away from the body.

A garment is the subdivided helper clipped by scalar fields that are distances in metres to its
edges, positive on the garment: hems are clean curves whatever the mesh. Loose cloth hangs from the
widest place above instead of following every hollow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import RestBody, body_vertices
from spinetrack_synth.avatars.mesh import (
    Sheet,
    averaging,
    clip,
    group_sheet,
    identity,
    kept_vertices,
    largest_pieces,
    mask_at,
    open_edges,
    smooth_sheet,
)
from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.avatars.textures import noise, smoothstep

SNUG_M = 0.003
"""Distance of tight cloth from the helper it is cut from."""

_LAYER_M = 0.0025
_CLOTH_M = 0.002
_TURN_UP_M = 0.02
_INSIDE_M = 0.2
"""Field value where an edge doesn't matter: farther than any seam is painted."""

_ARM_BONES = ("upperarm", "lowerarm", "wrist", "metacarpal", "finger")


@dataclass(frozen=True)
class Neckline:
    """A neck opening as seen from the front: half width, depths below the shoulder, V or round."""

    half_width_m: float
    front_m: float
    back_m: float
    pointed: bool = False


@dataclass(frozen=True)
class Armhole:
    """A sleeveless edge: width of the strap beyond the neckline, depth below the armpit.

    It goes with a neckline. ``back_m`` moves the edge inward on the back (racer back).
    """

    strap_m: float
    depth_m: float
    back_m: float = 0.0


@dataclass(frozen=True)
class Cut:
    """Where a garment's edges run; None where it has no such edge.

    ``waist`` (upper edge) and ``hem`` (lower edge) as fractions from the crotch 0 to the nape 1;
    ``leg`` (lower edge) 0 hip, 1 knee, 2 ankle; ``collar`` (upper edge of shoes) likewise;
    ``sleeve`` 0 shoulder, 1 elbow, 2 wrist. ``ease_m`` is the distance from the body at the free
    edge, ``hang`` 0 (clings) .. 1 (falls straight), ``cuff_m`` the length over which a leg or
    sleeve is gathered at its end, ``band_m`` the height of the waistband.
    """

    name: str
    waist: float | None = None
    hem: float | None = None
    leg: float | None = None
    collar: float | None = None
    sleeve: float | None = None
    neck: Neckline | None = None
    armhole: Armhole | None = None
    ease_m: float = SNUG_M
    hang: float = 0.0
    cuff_m: float = 0.0
    band_m: float = 0.0

    @property
    def pieces(self) -> int:
        """Number of separate pieces: shoes come in pairs."""
        return 1 if self.collar is None else 2

    @property
    def loose(self) -> bool:
        """Whether the cloth stands off the body."""
        return self.ease_m > 2 * SNUG_M


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
    arm: NDArray[np.float64]
    side: NDArray[np.float64]
    smooth: csr_array
    skin_near: NDArray[np.int64]
    sheet_near: NDArray[np.int64]
    midline: NDArray[np.int64]
    armpit: NDArray[np.int64]
    nipples: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Figure:
    """A body's measures for the tailor: ``points`` (P, 3) the suit at rest with ``normals``.

    ``clearance_m`` (P,) how far the suit must be lifted to lie on the skin, ``arm`` (P,) as in
    ``Suit``; joints (2, 3) left then right; ``crotch_y``, ``armpit_y``, ``bust_y`` m.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    clearance_m: NDArray[np.float64]
    arm: NDArray[np.float64]
    hips: NDArray[np.float64]
    knees: NDArray[np.float64]
    ankles: NDArray[np.float64]
    shoulders: NDArray[np.float64]
    elbows: NDArray[np.float64]
    wrists: NDArray[np.float64]
    nape: NDArray[np.float64]
    crotch_y: float
    armpit_y: float
    bust_y: float

    def height(self, fraction: float) -> float:
        """World Y of a torso fraction, 0 crotch .. 1 nape."""
        return self.crotch_y + fraction * (float(self.nape[1]) - self.crotch_y)


@dataclass(frozen=True, eq=False)
class Garment:
    """A garment on a body: its field values and offsets over the whole suit.

    ``fields`` edge name -> (P,) m, positive inside; ``depth_m`` (P,) distance inside the nearest
    edge, negative off the garment; ``offset_m`` (P,).
    """

    cut: Cut
    fields: dict[str, NDArray[np.float64]]
    depth_m: NDArray[np.float64]
    offset_m: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Piece:
    """A garment's mesh as ``Part`` wants it.

    ``carry`` (Q, P) makes its vertices of the suit's, ``stencil`` (Q, V) of the base mesh's;
    ``hem`` names the vertices along each edge.
    """

    carry: csr_array
    stencil: csr_array
    faces: NDArray[np.int32]
    uv: NDArray[np.float64]
    weld: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    hem: dict[str, NDArray[np.int64]]


@lru_cache(maxsize=2)
def suit(data: BodyData) -> Suit:
    """The suit of a base mesh."""
    from scipy.spatial import KDTree

    sheet = smooth_sheet(data, "helper-tights")
    low, high = sheet.uv.min(axis=0), sheet.uv.max(axis=0)
    sheet = replace(sheet, uv=0.01 + 0.98 * (sheet.uv - low) / (high - low).max())
    neutral = sheet.stencil @ data.vertices.astype(np.float64)
    skin = data.vertices[body_vertices(data)].astype(np.float64)
    arm_bones = [k for k, name in enumerate(data.bones) if name.startswith(_ARM_BONES)]
    arm = sheet.stencil @ (data.weights * np.isin(data.weight_bone, arm_bones)).sum(axis=1)
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

    def joints(bone: str) -> NDArray[np.float64]:
        return np.stack([rest.bone_head[data.bones.index(bone + side)] for side in (".L", ".R")])

    middle = points[pattern.midline]
    return Figure(
        points=points,
        normals=normals,
        clearance_m=_smoothed(pattern, np.clip(above, -0.006, 0.008), 4) + 0.0005,
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
    )


def tailor(data: BodyData, figure: Figure, cut: Cut, rng: np.random.Generator) -> Garment:
    """Lay a cut on a body."""
    pattern = suit(data)
    fields = edge_distances(figure, cut, figure.points, figure.arm, pattern.side)
    inside: NDArray[np.float64] = np.min(list(fields.values()), axis=0)
    pieces, to_pieces = clip(pattern.sheet, inside)
    _, to_whole = largest_pieces(pieces, cut.pieces)
    worn = np.zeros(len(inside), bool)
    worn[kept_vertices(to_pieces)[kept_vertices(to_whole)]] = True
    depth = inside.copy()
    depth[~worn] = np.minimum(inside[~worn], -_INSIDE_M)
    return Garment(cut, fields, depth, _offsets(pattern, figure, cut, fields, rng))


def over(outer: Garment, inner: Garment) -> Garment:
    """The outer garment lifted above an inner one where they overlap."""
    lift = np.where(inner.depth_m > -0.01, inner.offset_m + _LAYER_M, 0.0)
    return replace(outer, offset_m=np.maximum(outer.offset_m, lift))


def sew(
    data: BodyData,
    figure: Figure,
    garment: Garment,
    hidden_m: NDArray[np.float64] | None = None,
) -> Piece:
    """The garment's mesh with hems turned inward; ``hidden_m`` (P,) > 0 where others cover it."""
    whole = suit(data).sheet
    count = len(garment.fields)
    data_at = np.stack([*garment.fields.values(), garment.offset_m, figure.clearance_m], axis=1)
    edges = list(range(count))
    if hidden_m is not None:
        data_at = np.concatenate([data_at, -hidden_m[:, None]], axis=1)
        edges.append(count + 2)
    sheet, from_suit, columns = whole, identity(len(whole.weld)), data_at
    for k in edges:
        sheet, carry = clip(sheet, columns[:, k])
        from_suit = csr_array(carry @ from_suit)
        columns = from_suit @ data_at
    sheet, carry = largest_pieces(sheet, garment.cut.pieces)
    from_suit = csr_array(carry @ from_suit)
    columns = from_suit @ data_at
    offset, clearance = columns[:, count], columns[:, count + 1]
    seams = _Seams(sheet, from_suit, offset)
    rim = open_edges(sheet)
    for k, name in enumerate(garment.fields):
        edge = rim[(np.abs(columns[rim, k]) < 1e-7).all(axis=1)]
        if len(edge):
            if garment.cut.loose:
                seams.turn_in(name, edge, _TURN_UP_M - columns[:, k], offset - _CLOTH_M)
            else:  # down to the skin
                under = np.minimum(offset, clearance) - 0.001
                seams.turn_in(name, edge, 0.4 * _TURN_UP_M - columns[:, k], under)
    return seams.piece(whole)


def skin_depth_m(data: BodyData, garment: Garment) -> NDArray[np.float64]:
    """How deep (S,) each skin vertex lies inside the garment's edges; negative where it is bare."""
    near = suit(data).sheet_near
    return np.where(near >= 0, garment.depth_m[near], -_INSIDE_M)


def skin_below(
    data: BodyData, garments: tuple[Garment, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
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


def along_limb(
    points: NDArray, start: NDArray, middle: NDArray, end: NDArray, side: NDArray
) -> NDArray[np.float64]:
    """Place along a limb (N,): 0 first joint, 1 middle, 2 last. Joints are (2, 3), left first."""
    limb = (side > 0).astype(int)
    a, b, c = start[limb], middle[limb], end[limb]
    upper = np.einsum("ij,ij->i", points - a, b - a) / np.einsum("ij,ij->i", b - a, b - a)
    lower = np.einsum("ij,ij->i", points - b, c - b) / np.einsum("ij,ij->i", c - b, c - b)
    return np.where(upper + lower < 1, upper, 1 + lower)


class _Seams:
    """A sheet that grows its hems: strips turned inward along its cut edges."""

    def __init__(self, sheet: Sheet, from_suit: csr_array, offset_m: NDArray[np.float64]) -> None:
        self.sheet = sheet
        self.carries, self.uvs, self.offsets = [from_suit], [sheet.uv], [offset_m]
        self.faces, self.welds = [sheet.faces], [sheet.weld]
        self.hems: dict[str, NDArray[np.int64]] = {}

    def turn_in(self, name: str, edge: NDArray, width: NDArray, inner_m: NDArray) -> None:
        """Line the sheet where ``width`` (Q,) > 0 at ``inner_m`` (Q,), joined along ``edge``."""
        lining, carry = clip(self.sheet, width)
        old = kept_vertices(carry)
        start = sum(map(len, self.offsets))
        twin = np.full(len(self.sheet.weld), -1)
        twin[old[old >= 0]] = np.flatnonzero(old >= 0) + start
        a, b = edge.T
        c, d = twin[edge].T
        self.faces += [lining.faces + start, np.stack([b, a, c], 1), np.stack([b, c, d], 1)]
        self.carries.append(csr_array(carry @ self.carries[0]))
        self.uvs.append(lining.uv)
        self.offsets.append(carry @ inner_m)
        self.welds.append(lining.weld + 1 + max(int(weld.max()) for weld in self.welds))
        self.hems[name] = np.unique(edge).astype(np.int64)

    def piece(self, whole: Sheet) -> Piece:
        carry = csr_array(vstack(self.carries))
        return Piece(
            carry=carry,
            stencil=csr_array(carry @ whole.stencil),
            faces=np.concatenate(self.faces).astype(np.int32),
            uv=np.concatenate(self.uvs),
            weld=np.concatenate(self.welds).astype(np.int32),
            offset_m=np.concatenate(self.offsets),
            hem=self.hems,
        )


def edge_distances(
    figure: Figure, cut: Cut, points: NDArray, arm: NDArray, side: NDArray
) -> dict[str, NDArray[np.float64]]:
    """Signed distances (N,) m of rest-pose points (N, 3) to the cut's edges, positive inside.

    ``arm`` (N,) 0..1 and ``side`` (N,) -1 left .. 1 right as in ``Suit``. Lengths are true near an
    edge and only ordered far from it.
    """
    y = points[:, 1]
    fore = points[:, 0] - figure.nape[0]
    trunk = arm < 0.5
    leg = (figure.hips, figure.knees, figure.ankles)
    fields: dict[str, NDArray[np.float64]] = {}
    if cut.waist is not None:  # a waistband sits a little higher at the back
        edge = figure.height(cut.waist) - 0.10 * fore
        fields["waist"] = np.where(trunk, edge - y, -_INSIDE_M)
    if cut.hem is not None:
        # However short a top is, it reaches well below the bust.
        edge = min(figure.height(cut.hem), figure.bust_y - 0.055) + 0.02 * fore
        fields["hem"] = np.where(trunk, y - edge, _INSIDE_M)
    if cut.leg is not None:
        fields["leg"] = np.where(trunk, _limb_plane(points, side, *leg, cut.leg), _INSIDE_M)
    if cut.collar is not None:
        above = -_limb_plane(points, side, *leg, cut.collar)
        fields["collar"] = np.where(trunk, above, -_INSIDE_M)
    if cut.sleeve is not None:
        limb = (figure.shoulders, figure.elbows, figure.wrists)
        fields["sleeve"] = np.where(trunk, _INSIDE_M, _limb_plane(points, side, *limb, cut.sleeve))
    if cut.neck is not None:
        fields["neck"] = _neck_distance(figure, cut.neck, points)
        if cut.armhole is not None:
            fields["armhole"] = _armhole_distance(figure, cut.neck, cut.armhole, points)
    return fields


def _limb_plane(points, side, start, middle, end, place: float) -> NDArray[np.float64]:
    """Signed distance (P,) to the cross-section of the limb, positive toward the trunk."""
    upper, lower = middle - start, end - middle
    origin = start + min(place, 1.0) * upper + max(place - 1.0, 0.0) * lower
    bend = float(smoothstep(0.7, 1.3, np.array(place)))  # the section turns over the joint
    direction = (1 - bend) * upper / np.linalg.norm(upper, axis=1, keepdims=True)
    direction = direction + bend * lower / np.linalg.norm(lower, axis=1, keepdims=True)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    # Both limbs' planes; in the middle the lesser one counts.
    distance = np.stack([(origin[k] - points) @ direction[k] for k in (0, 1)], axis=1)
    return np.where(side < 0, distance[:, 0], np.where(side > 0, distance[:, 1], distance.min(1)))


def _neck_distance(figure: Figure, neck: Neckline, points: NDArray) -> NDArray[np.float64]:
    x, y, z = points.T
    trunk = figure.points[figure.arm < 0.5]
    at_edge = np.abs(np.abs(trunk[:, 2]) - neck.half_width_m) < 0.012
    top = trunk[at_edge, 1].max()
    front = smoothstep(-0.03, 0.03, x - figure.nape[0] - 0.02)
    depth = neck.back_m + (neck.front_m - neck.back_m) * front
    down = np.clip(top - y, 0.0, None) / depth
    across = np.abs(z) / neck.half_width_m
    shape = across + down if neck.pointed else np.hypot(across, down)
    return (shape - 1) * np.minimum(neck.half_width_m, depth)


def _armhole_distance(
    figure: Figure, neck: Neckline, hole: Armhole, points: NDArray
) -> NDArray[np.float64]:
    x, y, z = points.T
    shoulder = np.abs(figure.shoulders).mean(axis=0)
    back = smoothstep(0.02, -0.04, x - shoulder[0])
    strap = neck.half_width_m + hole.strap_m - hole.back_m * back
    width, depth = shoulder[2] - strap, shoulder[1] - figure.armpit_y + hole.depth_m
    across = np.clip(shoulder[2] - np.abs(z), 0.0, None) / width
    down = np.clip(shoulder[1] - y, 0.0, None) / depth
    return (np.hypot(across, down) - 1) * np.minimum(width, depth)


def _offsets(
    pattern: Suit,
    figure: Figure,
    cut: Cut,
    fields: dict[str, NDArray[np.float64]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Distance of the cloth from the suit (P,): snug where it is held, eased where it is free."""
    snug = figure.clearance_m + SNUG_M
    if cut.collar is not None:  # a firm upper, thicker at the edge of the sole
        rim = np.exp(-(((figure.points[:, 1] - 0.012) / 0.008) ** 2))
        sole = smoothstep(-0.5, -0.9, figure.normals[:, 1])
        return _smoothed(pattern, snug + cut.ease_m + 0.004 * rim, 6) * (1 - sole) + 0.004 * sole
    if not cut.loose:
        return _smoothed(pattern, snug, 2)
    points, normals = figure.points, figure.normals
    free = _freedom(pattern, figure, cut)
    for name in ("neck", "armhole"):  # these edges lie on the body
        if name in fields:
            free = free * smoothstep(0.0, 0.08, fields[name])
    ease = (cut.ease_m - SNUG_M) * free
    ease = ease + _hang(pattern, figure, cut) * free
    if cut.cuff_m:
        for name in ("leg", "sleeve"):
            if name in fields:
                gather = smoothstep(0.35 * cut.cuff_m, cut.cuff_m * 1.6, fields[name])
                ease = ease * gather
    if cut.leg is not None:
        # Between the thighs the two legs of the garment share the room there is.
        toward = np.clip(-normals[:, 2] * np.sign(points[:, 2]), 0.2, None)
        room = np.clip(np.abs(points[:, 2]) / toward - 0.006, 0.002, None)
        ease = np.minimum(ease, room)
    ease = _smoothed(pattern, np.clip(ease, 0.0, 0.07), 3)
    # Folds run down the cloth, as deep as it is loose.
    folds = noise(points * [1.0, 0.25, 1.0], 0.07, rng) + 0.5 * noise(points, 0.12, rng)
    return ease + 0.9 * folds * np.minimum(ease, 0.012) + _smoothed(pattern, snug, 2)


def _freedom(pattern: Suit, figure: Figure, cut: Cut) -> NDArray[np.float64]:
    """0 where the garment is held (shoulders, waistband) .. 1 at its free edges, (P,)."""
    points, y = figure.points, figure.points[:, 1]
    free = np.ones(len(points))
    if cut.neck is not None:
        top = figure.shoulders[:, 1].mean()
        trunk = smoothstep(top + 0.03, figure.armpit_y - 0.10, y)
        place = along_limb(points, figure.shoulders, figure.elbows, figure.wrists, pattern.side)
        sleeve = smoothstep(-0.1, 0.5, place)
        free = np.where(pattern.arm > 0.5, np.maximum(trunk * 0.5, sleeve), trunk)
    if cut.waist is not None:
        waist = figure.height(cut.waist)
        free = smoothstep(waist - cut.band_m, waist - cut.band_m - 0.12, y)
    return free


def _hang(pattern: Suit, figure: Figure, cut: Cut) -> NDArray[np.float64]:
    """Room (P,) under cloth that falls from the widest place above."""
    hollow = np.zeros(len(figure.points))
    if cut.hem is not None:
        trunk = (pattern.arm < 0.5) & (figure.points[:, 1] < figure.armpit_y + 0.02)
        trunk &= figure.points[:, 1] > figure.crotch_y - 0.05
        axis = np.array([figure.nape[0], 0.0, 0.0])
        hollow += _hollow(figure, trunk, figure.points - axis, np.array([0.0, 1.0, 0.0]), cut.hang)
    if cut.leg is not None:
        for k, sign in enumerate((-1.0, 1.0)):
            leg = (pattern.side == sign) & (pattern.arm < 0.5)
            leg &= figure.points[:, 1] < figure.crotch_y + 0.04
            up = figure.hips[k] - figure.ankles[k]
            place = along_limb(
                figure.points, figure.hips, figure.knees, figure.ankles, pattern.side
            )
            bone = np.stack(
                [
                    np.interp(
                        place, [0, 1, 2], [j[k, c] for j in (figure.hips, figure.knees,
                                                             figure.ankles)]
                    )
                    for c in range(3)
                ],
                axis=1,
            )  # fmt: skip
            hollow += _hollow(figure, leg, figure.points - bone, up / np.linalg.norm(up), cut.hang)
    return hollow


def _hollow(figure: Figure, chosen, arms, up, hang: float) -> NDArray[np.float64]:
    """How far (P,) the chosen points lie inside the cloth that hangs over them.

    ``arms`` (P, 3) vectors from the axis of trunk or limb, ``up`` (3,) along it.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    across = arms - np.outer(arms @ up, up)
    height = figure.points @ up
    radius = np.linalg.norm(across, axis=1)
    side = np.array([1.0, 0.0, 0.0]) - up[0] * up
    side /= np.linalg.norm(side)
    angle = np.arctan2(across @ np.cross(up, side), across @ side)
    low, high = height[chosen].min(), height[chosen].max()
    step = 0.02
    rows, columns = int((high - low) / step) + 2, 32
    row = np.clip((high - height) / step, 0, rows - 1)
    column = (angle / (2 * np.pi) % 1.0) * columns
    total, count = np.zeros((2, rows, columns))
    cell = (np.rint(row[chosen]).astype(int), np.rint(column[chosen]).astype(int) % columns)
    np.add.at(total, cell, radius[chosen])
    np.add.at(count, cell, 1.0)
    mode = ("nearest", "wrap")
    profile = gaussian_filter(total, 1.0, mode=mode) / np.maximum(
        gaussian_filter(count, 1.0, mode=mode), 1e-6
    )
    cloth = profile.copy()
    cling = (1 - hang) * step  # how fast the cloth comes back to the body
    for k in range(1, rows):
        cloth[k] = np.maximum(profile[k], cloth[k - 1] - cling)
    room = gaussian_filter(cloth - profile, 1.2, mode=mode)
    away = across / np.maximum(radius, 1e-6)[:, None]
    facing = np.clip(np.einsum("ij,ij->i", away, figure.normals), 0.5, 1.0)
    sampled = map_coordinates(room, [row, column], order=1, mode="grid-wrap")
    return np.where(chosen, np.clip(sampled, 0.0, None) / facing, 0.0)


def _smoothed(pattern: Suit, values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    weld = pattern.sheet.weld
    distinct = np.zeros(int(weld.max()) + 1)
    distinct[weld] = values
    for _ in range(steps):
        distinct = pattern.smooth @ distinct
    return distinct[weld]
