"""Cuts of garments: where their edges run, as signed distances of the body's points from them.

A garment is the suit clipped by scalar fields that are distances in metres to its edges, positive
on the garment: hems are clean curves whatever the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.figure import Figure
from spinetrack_synth.easing import smoothstep

SNUG_M = 0.003
"""Distance of tight cloth from the helper it is cut from."""

_COVERED_M = 0.028
"""Neck openings and armholes keep so far from the bust, however wide it is."""

INSIDE_M = 0.2
"""Field value where an edge doesn't matter: farther than any seam is painted."""


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
class Skirt:
    """A tube of cloth about both legs.

    ``top`` its upper edge as a fraction from the crotch 0 to the nape 1, ``leg`` its hem (0 hip,
    1 knee, 2 ankle); ``flare`` how much wider the hem is than the hips, as a share of its girth;
    ``fullness`` how much more cloth there is than girth, which falls in folds; ``ease_m`` off what
    is below, ``gap_m`` half the opening in front, ``stiff`` 0 (silk) .. 1 (felt).
    """

    top: float
    leg: float
    flare: float = 0.15
    fullness: float = 0.0
    ease_m: float = 0.004
    gap_m: float = 0.0
    stiff: float = 0.3


@dataclass(frozen=True)
class Cut:
    """Where a garment's edges run; None where it has no such edge.

    ``waist`` (upper edge) and ``hem`` (lower edge) as fractions from the crotch 0 to the nape 1;
    ``leg`` (lower edge) 0 hip, 1 knee, 2 ankle; ``shaft`` (upper edge of socks) likewise;
    ``brief`` (lower edge of what has no legs) how high it rises from the crotch to the hips, m;
    ``sleeve`` 0 shoulder, 1 elbow, 2 wrist; ``front`` half the opening down the front, m at the
    hem and at the neck. ``ease_m`` is the distance from the body at the free
    edge, ``hang`` 0 (clings) .. 1 (falls straight), ``flare_m`` what the legs widen beyond it,
    ``quilt_m`` how far padding bulges between its seams, ``cuff_m`` the length over which a leg or
    sleeve is gathered at its end, ``band_m`` the height of the waistband. ``pieces`` counts the
    separate ones: socks come in pairs. ``trims`` are sewn on (collar, hood, lapels, band, belt);
    ``buttoned`` shows a closure down the front; ``cloth`` is what it is made of where not just any;
    ``sewn_on`` names the garment that a trim belongs to; ``skirt`` is sewn to its lower edge.
    """

    name: str
    waist: float | None = None
    hem: float | None = None
    leg: float | None = None
    shaft: float | None = None
    brief: float | None = None
    sleeve: float | None = None
    neck: Neckline | None = None
    armhole: Armhole | None = None
    front: tuple[float, float] | None = None
    ease_m: float = SNUG_M
    hang: float = 0.0
    flare_m: float = 0.0
    quilt_m: float = 0.0
    cuff_m: float = 0.0
    band_m: float = 0.0
    pieces: int = 1
    trims: tuple[str, ...] = ()
    buttoned: bool = False
    cloth: str = ""
    sewn_on: str = ""
    skirt: Skirt | None = None

    @property
    def loose(self) -> bool:
        """Whether the cloth stands off the body."""
        return self.ease_m > 2 * SNUG_M


def edge_distances(
    figure: Figure, cut: Cut, points: Array, arm: Array, side: Array
) -> dict[str, Array]:
    """Signed distances (N,) m of rest-pose points (N, 3) to the cut's edges, positive inside.

    ``arm`` (N,) 0..1 and ``side`` (N,) -1 left .. 1 right as in ``Suit``. Lengths are true near an
    edge and only ordered far from it.
    """
    y = points[:, 1]
    fore = points[:, 0] - figure.nape[0]
    trunk = arm < 0.5
    leg = (figure.hips, figure.knees, figure.ankles)
    fields: dict[str, Array] = {}
    if cut.waist is not None:  # a waistband sits a little higher at the back
        edge = figure.height(cut.waist) - 0.10 * fore
        fields["waist"] = np.where(trunk, edge - y, -INSIDE_M)
    if cut.hem is not None:
        # However short a top is, it reaches well below the bust.
        edge = min(figure.height(cut.hem), figure.bust_y - 0.055) + 0.02 * fore
        fields["hem"] = np.where(trunk, y - edge, INSIDE_M)
    if cut.leg is not None:
        fields["leg"] = np.where(trunk, limb_plane(points, side, *leg, cut.leg), INSIDE_M)
    if cut.shaft is not None:
        above = -limb_plane(points, side, *leg, cut.shaft)
        fields["shaft"] = np.where(trunk, above, -INSIDE_M)
    if cut.brief is not None:
        across = np.abs(points[:, 2]) / np.abs(figure.hips[:, 2]).mean()
        rise = figure.crotch_y - 0.020 + 1.3 * cut.brief * smoothstep(0.1, 1.8, across)
        fields["brief"] = np.where(trunk, 0.7 * (y - rise), INSIDE_M)
    if cut.front is not None:
        bottom = figure.height(cut.hem or 0.0)
        up = np.clip((y - bottom) / (figure.nape[1] - bottom), 0.0, 1.0)
        half = cut.front[0] + (cut.front[1] - cut.front[0]) * up
        ahead = (fore > 0.0) & trunk & (y < figure.nape[1] + 0.03)
        fields["front"] = np.where(ahead, np.abs(points[:, 2]) - half, INSIDE_M)
    if cut.sleeve is not None:
        limb = (figure.shoulders, figure.elbows, figure.wrists)
        fields["sleeve"] = np.where(trunk, INSIDE_M, limb_plane(points, side, *limb, cut.sleeve))
    if cut.neck is not None:
        fields["neck"] = _neck_distance(figure, cut.neck, points)
        if cut.armhole is not None:
            fields["armhole"] = _armhole_distance(figure, cut.neck, cut.armhole, points)
        near = _COVERED_M - cdist(points, figure.bust).min(axis=1)
        for name in fields.keys() & {"neck", "armhole"}:
            fields[name] = np.maximum(fields[name], near)
    return fields


def limb_plane(
    points: Array, side: Array, start: Array, middle: Array, end: Array, place: float
) -> Array:
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


def _neck_distance(figure: Figure, neck: Neckline, points: Array) -> Array:
    x, y, z = points.T
    trunk = figure.points[figure.arm < 0.5]
    at_edge = np.abs(np.abs(trunk[:, 2]) - neck.half_width_m) < 0.012
    top = trunk[at_edge, 1].max()
    front = smoothstep(-0.03, 0.03, x - figure.nape[0] - 0.02)
    depth = neck.back_m + (neck.front_m - neck.back_m) * front
    down = np.clip(top - y, 0.0, None) / depth
    across = np.abs(z) / neck.half_width_m
    shape = across + down if neck.pointed else np.hypot(across, down)
    distance: Array = (shape - 1) * np.minimum(neck.half_width_m, depth)
    return distance


def _armhole_distance(figure: Figure, neck: Neckline, hole: Armhole, points: Array) -> Array:
    x, y, z = points.T
    shoulder = np.abs(figure.shoulders).mean(axis=0)
    back = smoothstep(0.02, -0.04, x - shoulder[0])
    strap = neck.half_width_m + hole.strap_m - hole.back_m * back
    width, depth = shoulder[2] - strap, shoulder[1] - figure.armpit_y + hole.depth_m
    across = np.clip(shoulder[2] - np.abs(z), 0.0, None) / width
    down = np.clip(shoulder[1] - y, 0.0, None) / depth
    distance: Array = (np.hypot(across, down) - 1) * np.minimum(width, depth)
    return distance
