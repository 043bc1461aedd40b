"""Which keypoints of a person can be seen, told from the frame's ids and depth.

Most keypoints lie inside the body, so something always covers them. A keypoint counts as seen when
what covers it is its own flesh: the first surface on its ray is the same person's, moves with a
body that neighbours the keypoint, and lies no further in front of it than the tissue there is deep.
What clothes and hair stand off the skin does not count.
``docs/labels.md`` tells this in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.camera import Camera
from spinetrack_synth.shot import Frame, PosedPerson
from spinetrack_synth.skeleton import INDEX, KEYPOINTS, NAMES, SPINE

OUTSIDE, HIDDEN, SEEN = 0, 1, 2

BARE_M: Final = 0.01
"""A surface less than this in front of a keypoint hides nothing (a pixel on a slanted floor spans
as much)."""

ASLANT: Final = 2**0.5
"""How many times as long as the tissue is deep a line of sight may run through flesh that surrounds
the point's own bone: it meets the bone at 45 degrees then."""

STANDS_OFF_M: Final = 0.15
"""So far at most clothes and hair stand off the skin that they belong to."""

COLUMN: Final = (
    "pelvis", "sacrum", *(f"L{n}" for n in range(5, 0, -1)), *(f"T{n}" for n in range(12, 0, -1)),
    *(f"C{n}" for n in range(7, 0, -1)), "skull",
)  # fmt: skip
"""The bodies along the spine, caudal to cranial."""


@dataclass(frozen=True)
class Tissue:
    """A keypoint's own flesh: the OpenSim bodies it moves with, and how deep it covers the point.

    ``depth_m`` is measured along the line of sight, and where that is aslant from the bones beside
    the point. ``reason`` says where the depth comes from.
    """

    bodies: tuple[str, ...]
    depth_m: float
    reason: str


def _column(lowest: str, highest: str, *others: str) -> tuple[str, ...]:
    return (*COLUMN[COLUMN.index(lowest) : COLUMN.index(highest) + 1], *others)


_SHOULDERS: Final = ("clavicle_r", "clavicle_l")
_THIGHS: Final = ("femur_r", "femur_l")

# Depths: what covers the point on dressed avatars of all builds, rounded up (reasons give the 90th
# percentile; `benchmarks/tissue_depth.py` measures it); of the trunk, in the heaviest person that
# was looked at.
_MIDLINE: Final[dict[str, Tissue]] = {
    "nose": Tissue(("skull",), 0.03, "on the skin; a cheek hides it from behind the profile"),
    "head": Tissue(("skull",), 0.13, "on the skin; the dome of skull and hair, level 0.13"),
    "neck_03": Tissue(_column("C6", "skull"), 0.14, "face in front 0.11, nape and hair 0.12"),
    "neck_02": Tissue(_column("T1", "skull", *_SHOULDERS), 0.14, "chin in front 0.11, sides 0.07"),
    "neck": Tissue(_column("T4", "skull", *_SHOULDERS), 0.15, "throat 0.07, chin, sides 0.12"),
    "spine_05": Tissue(_column("T8", "C5", *_SHOULDERS), 0.18, "breastbone 0.12, sides 0.16"),
    "spine_04": Tissue(_column("L3", "T1", *_SHOULDERS), 0.28, "chest 0.21, of the heaviest 0.28"),
    "spine_03": Tissue(_column("pelvis", "T4"), 0.28, "belly 0.23, of the heaviest 0.28"),
    "spine_02": Tissue(_column("pelvis", "T6"), 0.28, "belly 0.22, of the heaviest 0.27"),
    "spine_01": Tissue(_column("pelvis", "T8", *_THIGHS), 0.28, "belly 0.23, of the heaviest 0.27"),
    "hip": Tissue(_column("pelvis", "T10", *_THIGHS), 0.28, "belly 0.25, of the heaviest 0.28"),
}

_PAIRED: Final[dict[str, Tissue]] = {
    "eye": Tissue(("skull",), 0.04, "in front 0.02, temple 0.04; the nose hides the far eye"),
    "ear": Tissue(("skull",), 0.05, "on the skin; hair"),
    "shoulder": Tissue(_column("T6", "C5", "clavicle", "humerus"), 0.13, "front 0.08, back 0.12"),
    "elbow": Tissue(("humerus", "ulna", "radius"), 0.10, "half an arm 0.05, aslant 0.10"),
    "wrist": Tissue(("ulna", "radius", "hand"), 0.06, "half a wrist 0.03, aslant 0.05"),
    "hip": Tissue(_column("pelvis", "L4", "femur"), 0.20, "groin 0.18, side 0.14, seat 0.19"),
    "knee": Tissue(("femur", "tibia"), 0.14, "half a knee 0.07, wide trousers or aslant 0.12"),
    "ankle": Tissue(("tibia", "talus", "calcn"), 0.09, "half an ankle 0.06, heel 0.08"),
    "big_toe": Tissue(("toes", "calcn"), 0.05, "on the skin; the toe's length 0.05, shoe"),
    "small_toe": Tissue(("toes", "calcn"), 0.05, "on the skin; shoe"),
    "heel": Tissue(("calcn", "talus", "tibia"), 0.05, "on the skin; sides 0.02, shoe"),
    "latissimus": Tissue(_column("L1", "T2", "clavicle"), 0.17, "chest in front 0.16, back 0.15"),
    "clavicle": Tissue(_column("T5", "C5", *_SHOULDERS), 0.06, "skin over the joint 0.03, shirt"),
}


def _own_side(name: str) -> Tissue:
    """A paired keypoint's tissue with its limb bodies on the keypoint's side."""
    side, stem = name.split("_", 1)
    tissue = _PAIRED[stem]
    bodies = tuple(
        body if body in COLUMN or body.endswith(("_r", "_l")) else f"{body}_{side[0]}"
        for body in tissue.bodies
    )
    return Tissue(bodies, tissue.depth_m, tissue.reason)


TISSUE: Final[dict[str, Tissue]] = {
    name: _MIDLINE[name] if name in _MIDLINE else _own_side(name) for name in NAMES
}
"""Keypoint name -> what may cover it while it still counts as seen."""

_DEPTH_M: Final = np.array([TISSUE[keypoint.name].depth_m for keypoint in KEYPOINTS])

_UNDER_CLOTH: Final = np.array(
    [TISSUE[name].bodies != ("skull",) or name == "head" for name in NAMES]
)
"""(37,) Points that clothes and hair do not hide, however far they stand off: all but the face's,
which are on the skin and seen themselves."""

_CHAINS: Final = (
    tuple(NAMES[index] for index in SPINE),
    *(
        tuple(f"{side}_{joint}" for joint in limb)
        for side in ("left", "right")
        for limb in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
    ),
)


def _beside() -> NDArray[np.int64]:
    """(37, 2) the keypoints at the other ends of a keypoint's bones, itself where there is none."""
    ends = np.repeat(np.arange(len(NAMES))[:, None], 2, axis=1)
    for chain in _CHAINS:
        index = [INDEX[name] for name in chain]
        ends[index[1:], 0] = index[:-1]
        ends[index[:-1], 1] = index[1:]
    return ends


_BESIDE: Final = _beside()

_RINGS: Final = (
    np.zeros((1, 2)),
    np.array([(x, y) for y in (-1.0, 0.0, 1.0) for x in (-1.0, 0.0, 1.0) if (x, y) != (0.0, 0.0)]),
)
"""Offsets in pixels: where a keypoint is looked for, its own pixel first, then those around it."""


@cache
def _covers(bodies: tuple[str, ...]) -> NDArray[np.bool_]:
    """(37, B): may this body's surface lie over this keypoint?"""
    return np.array([[body in TISSUE[name].bodies for body in bodies] for name in NAMES])


@dataclass(frozen=True)
class Sight:
    """What was found of a person's keypoints: COCO's ``v`` (37,), and the pixels ``row`` and
    ``column`` (37,) that decided it: the keypoint's own one, or the neighbour that shows the flesh
    over it."""

    v: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]


def visibility(
    frame: Frame,
    camera: Camera,
    person: PosedPerson,
    person_id: int,
    pixels: NDArray[np.float64],
    bodies: tuple[str, ...],
) -> Sight:
    """Which keypoints of a person can be seen: v is 0 outside the picture, 1 hidden, 2 seen.

    ``pixels`` (37, 2) are the projected keypoints (nan behind the camera), ``person_id`` is the
    person's number in ``frame.ids``, ``bodies`` are the names that ``person.skin_body`` indexes.
    """
    size = np.array([camera.width, camera.height])
    with np.errstate(invalid="ignore"):
        inside = ((pixels >= 0) & (pixels < size)).all(axis=-1)
    rows = np.flatnonzero(inside)
    depth_m = camera.to_camera(person.keypoints_world)[:, 2]
    seen = np.zeros(len(pixels), dtype=bool)
    judged = np.zeros((2, len(pixels)), dtype=np.int64)
    for ring in _RINGS:
        rows = rows[~seen[rows]]
        column, row = _pixel_indices(pixels[rows, None] + ring, size)
        centers = np.stack([column, row], axis=-1) + 0.5
        ray_length = np.linalg.norm(camera.rays(centers), axis=-1)
        surface_m = frame.depth_m[row, column]
        cover_m = (depth_m[rows, None] - surface_m) * ray_length
        farthest_m = ASLANT * _DEPTH_M[rows, None] + STANDS_OFF_M
        flesh = (frame.ids[row, column] == person_id) & (cover_m <= farthest_m)
        which, where = np.nonzero(flesh)
        points = camera.unproject(centers[which, where], surface_m[which, where])
        near = nearest_vertices(person.skin_world, points)
        own = _covers(bodies)[rows[which], person.skin_body[near]]
        off_m = np.linalg.norm(points - person.skin_world[near], axis=-1)
        deep = _within_tissue(
            person.keypoints_world, rows[which], points, cover_m[which, where], off_m
        )
        flesh[which, where] = own & deep
        seen[rows] = flesh.any(axis=1)
        if ring is _RINGS[0]:
            judged[:, rows] = row[:, 0], column[:, 0]
            seen[rows] |= cover_m[:, 0] <= BARE_M
        else:
            found = np.flatnonzero(seen[rows])
            first = flesh[found].argmax(axis=1)
            judged[:, rows[found]] = row[found, first], column[found, first]
    return Sight(np.where(inside, np.where(seen, SEEN, HIDDEN), OUTSIDE), *judged)


def _within_tissue(
    keypoints: NDArray[np.float64],
    rows: NDArray[np.int64],
    points: NDArray[np.float64],
    cover_m: NDArray[np.float64],
    off_m: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether surface points (N, 3) that cover the keypoints ``rows`` (N,) by ``cover_m`` along the
    line of sight, and stand ``off_m`` off the skin, are no farther than the tissue is deep."""
    off_m = np.where(_UNDER_CLOTH[rows], np.minimum(off_m, STANDS_OFF_M), 0.0)
    bone_m = np.min(
        [_to_segment(points, keypoints[rows], keypoints[_BESIDE[rows, k]]) for k in (0, 1)], axis=0
    )
    allowed_m = _DEPTH_M[rows]
    aslant = (bone_m - off_m <= allowed_m) & _UNDER_CLOTH[rows]
    within: NDArray[np.bool_] = cover_m - off_m <= np.where(aslant, ASLANT, 1.0) * allowed_m
    return within


def _to_segment(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance (N,) of points (N, 3) from the straight lines between ``start`` and ``end``."""
    along = end - start
    length2 = np.maximum((along**2).sum(axis=-1), 1e-12)
    share = np.clip(((points - start) * along).sum(axis=-1) / length2, 0.0, 1.0)
    distance: NDArray[np.float64] = np.linalg.norm(points - start - share[:, None] * along, axis=-1)
    return distance


def _pixel_indices(
    positions: NDArray[np.float64], size: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Column and row of the pixels that hold positions (..., 2), moved into the picture."""
    indices = np.clip(np.floor(positions).astype(int), 0, size - 1)
    return indices[..., 0], indices[..., 1]


def nearest_vertices(
    vertices: NDArray[np.float32], points: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Index of the vertex nearest to each point (P, 3): one matrix product, no tree to build."""
    middle = vertices.mean(axis=0)
    centered = (vertices - middle).astype(np.float32)
    offsets = (points - middle).astype(np.float32)
    distances = (centered**2).sum(axis=1) - 2 * (offsets @ centered.T)
    nearest: NDArray[np.int64] = distances.argmin(axis=1)  # along memory
    return nearest
