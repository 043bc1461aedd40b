"""Capsules around the bones, and how deep limbs run into each other or into the trunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import apart, inner
from spinetrack_synth.poses.patches import on_bodies
from spinetrack_synth.poses.skin import offsets_m

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Capsules:
    """Round-ended cylinders fixed to bodies, and the pairs of them that must not meet.

    ``names`` (C,); ``body`` (C,) index into ``Tree.bodies``; ``start_m`` and ``end_m`` (C, 3) in
    the body; ``radius_m`` (C,); ``pairs`` (P, 2); ``slack_m`` (P,) the overlap that a pair is let
    have: what it has in the anatomical position, and what soft tissue gives.
    """

    names: tuple[str, ...]
    body: Ints
    start_m: Array
    end_m: Array
    radius_m: Array
    pairs: Ints
    slack_m: Array


TRUNK: Final[dict[str, tuple[str, ...]]] = {
    "pelvis": ("pelvis", "sacrum"),
    "L4": ("L5", "L4", "L3"),
    "L1": ("L2", "L1", "T12"),
    "T10": ("T11", "T10", "T9"),
    "T7": ("T8", "T7", "T6"),
    "T4": ("T5", "T4", "T3"),
    "C5": ("C6", "C5", "C4", "C3"),
    "skull": ("skull",),
}
"""Body that carries a capsule of the trunk, and the bodies whose skin it covers."""

LIMBS: Final[dict[str, tuple[str, ...]]] = {
    "femur": ("femur",),
    "tibia": ("tibia",),
    "calcn": ("talus", "calcn"),
    "toes": ("toes",),
    "humerus": ("humerus",),
    "ulna": ("ulna", "radius"),
    "hand": ("hand",),
}
"""The same of each limb."""

ACROSS: Final = ("pelvis", "L4", "L1", "T10", "T7", "T4")
"""Capsules that lie across the body: it is wider than deep."""

RADIUS_PERCENTILE: Final[dict[str, float]] = {"hand": 18, "calcn": 40, "toes": 35}
USUAL_PERCENTILE: Final = 60
"""Percentile of the skin's distance from the bone that is a capsule's radius: flat parts less."""

SOFT_M: Final[dict[frozenset[str], float]] = {
    frozenset({"thigh", "trunk"}): 0.07,
    frozenset({"shank", "trunk"}): 0.05,
    frozenset({"foot", "trunk"}): 0.04,
    frozenset({"arm", "trunk"}): 0.045,
    frozenset({"thigh"}): 0.04,
    frozenset({"foot"}): 0.04,
    frozenset({"arm", "thigh"}): 0.04,
    frozenset({"foot", "thigh"}): 0.04,
    frozenset({"arm", "head"}): 0.03,
    frozenset({"hand"}): 0.01,
}
"""Overlap that soft tissue gives where parts press on each other (own estimate)."""

USUAL_SOFT_M: Final = 0.025
SOFT_TO_HANDS_M: Final = 0.0

_KIND: Final = {
    "femur": "thigh", "tibia": "shank", "calcn": "foot", "toes": "foot",
    "humerus": "arm", "ulna": "arm", "hand": "hand", "skull": "head",
}  # fmt: skip

_CHAINS: Final = (
    ("pelvis", "L4", "L1", "T10", "T7", "T4", "C5", "skull"),
    *((f"femur_{s}", f"tibia_{s}", f"calcn_{s}", f"toes_{s}") for s in "rl"),
    *((f"humerus_{s}", f"ulna_{s}", f"hand_{s}") for s in "rl"),
)

_ROOTED: Final = {"femur": ("pelvis", "L4"), "humerus": ("T10", "T7", "T4", "C5")}
"""Trunk capsules that the root of a limb always touches."""


def capsules_from_skin(
    tree: Tree, q_rest: ArrayLike, skin_world: ArrayLike, skin_body: ArrayLike
) -> Capsules:
    """Capsules that fill a closed skin; arguments as in ``skin.probe_from_skin``."""
    body = np.asarray(skin_body, dtype=np.int64)
    body2world = body_transforms(tree, np.zeros(len(tree.coordinates)))
    offsets = offsets_m(tree, q_rest, body, skin_world)
    points = np.einsum("vij,vj->vi", body2world[body, :3, :3], offsets) + body2world[body, :3, 3]
    joints = {name: body2world[index, :3, 3] for index, name in enumerate(tree.bodies)}
    shapes = {
        carrier: _trunk_capsule(carrier, points[on_bodies(tree.bodies, body, covered)], joints)
        for carrier, covered in TRUNK.items()
    }
    for side in "rl":
        for carrier, covered in LIMBS.items():
            mine = on_bodies(tree.bodies, body, [f"{name}_{side}" for name in covered])
            shapes[f"{carrier}_{side}"] = _limb_capsule(carrier, side, points[mine], joints)

    carriers = tuple(shapes)
    carrier_body = np.array([tree.body_index[name] for name in carriers], dtype=np.int64)
    frames = np.linalg.inv(body2world[carrier_body])
    ends = np.array([[start, end] for start, end, _ in shapes.values()])
    local = np.einsum("cij,cej->cei", frames[:, :3, :3], ends) + frames[:, None, :3, 3]
    pairs = _pairs(carriers)
    capsules = Capsules(
        names=carriers,
        body=carrier_body,
        start_m=np.ascontiguousarray(local[:, 0]),
        end_m=np.ascontiguousarray(local[:, 1]),
        radius_m=np.array([radius for _, _, radius in shapes.values()]),
        pairs=pairs,
        slack_m=np.zeros(len(pairs)),
    )
    at_rest = np.maximum(0.0, overlaps_m(tree, np.zeros(len(tree.coordinates)), capsules))
    soft = np.array([_soft_m(carriers[a], carriers[b]) for a, b in pairs])
    return Capsules(**{**vars(capsules), "slack_m": at_rest + soft})


def self_intersection_m(tree: Tree, q: ArrayLike, capsules: Capsules) -> float:
    """Deepest overlap of parts that should not meet, beyond what soft tissue gives; 0 for none."""
    return max(0.0, float(overlaps_m(tree, q, capsules).max()))


def overlaps_m(tree: Tree, q: ArrayLike, capsules: Capsules) -> Array:
    """Overlap of every pair beyond its slack, (P,) m; negative where there is room."""
    body2world = body_transforms(tree, np.asarray(q, dtype=float))
    gaps = np.empty(len(capsules.pairs))
    closest = np.empty((len(capsules.pairs), 2, 3))
    pair_gaps(
        body2world, capsules.body, capsules.start_m, capsules.end_m, capsules.radius_m,
        capsules.pairs, capsules.slack_m, gaps, closest,
    )  # fmt: skip
    return -gaps


def _trunk_capsule(
    carrier: str, skin: Array, joints: dict[str, Array]
) -> tuple[Array, Array, float]:
    """Start, end and radius in the anatomical position, m."""
    low, high = np.percentile(skin, [8, 92], axis=0)
    middle = (low + high) / 2
    middle[2] = joints[carrier][2]
    if carrier in ACROSS:
        radius = 0.5 * (high[0] - low[0])
        reach = np.array([0.0, 0.0, max(0.0, 0.5 * (high[2] - low[2]) - radius)])
    else:
        radius = 0.5 * min(high[0] - low[0], high[2] - low[2])
        reach = np.array([0.0, max(0.0, 0.5 * (high[1] - low[1]) - radius), 0.0])
    return middle - reach, middle + reach, float(radius)


def _limb_capsule(
    carrier: str, side: str, skin: Array, joints: dict[str, Array]
) -> tuple[Array, Array, float]:
    """Start, end and radius in the anatomical position, m."""
    at = {name.removesuffix(f"_{side}"): joint for name, joint in joints.items()}
    low, high = np.percentile(skin, [5, 95], axis=0)
    middle = (low + high) / 2
    if carrier == "hand":
        start, end = at["hand"], np.array([middle[0], low[1], middle[2]])
    elif carrier == "calcn":
        start, end = np.array([low[0] + 0.03, at["toes"][1], at["calcn"][2]]), at["toes"]
    elif carrier == "toes":
        start, end = at["toes"], np.array([high[0], middle[1], middle[2]])
    else:
        below = {"femur": "tibia", "tibia": "talus", "humerus": "ulna", "ulna": "hand"}[carrier]
        start, end = at[carrier], at[below]
    axis = end - start
    along = np.clip((skin - start) @ axis / (axis @ axis), 0.0, 1.0)
    distance = np.linalg.norm(skin - start - along[:, None] * axis, axis=1)
    percentile = RADIUS_PERCENTILE.get(carrier, USUAL_PERCENTILE)
    return start, end, float(np.percentile(distance, percentile))


def _pairs(carriers: tuple[str, ...]) -> Ints:
    """Pairs of capsules that are not neighbours along a limb or the trunk."""
    neighbours = {
        frozenset(pair)
        for chain in _CHAINS
        for gap in (1, 2)
        for pair in zip(chain, chain[gap:])
        if gap == 1 or chain[0] == "pelvis" or pair[1].startswith("toes")
    }
    neighbours |= {
        frozenset({f"{limb}_{side}", root})
        for limb, roots in _ROOTED.items()
        for root in roots
        for side in "rl"
    }
    return np.array(
        [
            (a, b)
            for a in range(len(carriers))
            for b in range(a + 1, len(carriers))
            if frozenset({carriers[a], carriers[b]}) not in neighbours
        ],
        dtype=np.int64,
    )


def _soft_m(one: str, other: str) -> float:
    kinds = frozenset(_KIND.get(name.split("_")[0], "trunk") for name in (one, other))
    return SOFT_M.get(kinds, SOFT_TO_HANDS_M if "hand" in kinds else USUAL_SOFT_M)


@apart()
def pair_gaps(
    body2world: Array, body: Ints, start: Array, end: Array, radius: Array,
    pairs: Ints, slack: Array, gaps: Array, closest: Array,
) -> None:  # fmt: skip
    """Fill the room between the capsules of every pair (P,), slack included, and the closest points
    of their axes in the world (P, 2, 3). For compiled callers."""
    count = len(body)
    ends = np.empty((count, 2, 3))
    for c in range(count):
        b, x, y, z = body[c], start[c, 0], start[c, 1], start[c, 2]
        u, v, w = end[c, 0], end[c, 1], end[c, 2]
        for i in range(3):
            p, q, r = body2world[b, i, 0], body2world[b, i, 1], body2world[b, i, 2]
            ends[c, 0, i] = body2world[b, i, 3] + p * x + q * y + r * z
            ends[c, 1, i] = body2world[b, i, 3] + p * u + q * v + r * w
    for pair in range(len(pairs)):
        a, b = pairs[pair, 0], pairs[pair, 1]
        s, t = _closest(ends[a, 0], ends[a, 1], ends[b, 0], ends[b, 1])
        distance = 0.0
        for i in range(3):
            p, q = ends[a, 0, i], ends[b, 0, i]
            p, q = p + s * (ends[a, 1, i] - p), q + t * (ends[b, 1, i] - q)
            closest[pair, 0, i], closest[pair, 1, i] = p, q
            distance += (p - q) ** 2
        gaps[pair] = np.sqrt(distance) - radius[a] - radius[b] + slack[pair]


@inner()
def _closest(p1: Array, q1: Array, p2: Array, q2: Array) -> tuple[float, float]:
    """Where two segments come closest, as fractions of each.

    Ericson, Real-Time Collision Detection, 5.1.9.
    """
    a = e = f = c = b = 0.0
    for i in range(3):
        d1, d2, r = q1[i] - p1[i], q2[i] - p2[i], p1[i] - p2[i]
        a += d1 * d1
        e += d2 * d2
        f += d2 * r
        c += d1 * r
        b += d1 * d2
    if a < 1e-12 and e < 1e-12:
        return 0.0, 0.0
    if a < 1e-12:
        return 0.0, min(max(f / e, 0.0), 1.0)
    if e < 1e-12:
        return min(max(-c / a, 0.0), 1.0), 0.0
    denominator = a * e - b * b
    s = min(max((b * f - c * e) / denominator, 0.0), 1.0) if denominator > 1e-12 else 0.0
    t = (b * s + f) / e
    if t < 0.0:
        return min(max(-c / a, 0.0), 1.0), 0.0
    if t > 1.0:
        return min(max((b - c) / a, 0.0), 1.0), 1.0
    return s, t
