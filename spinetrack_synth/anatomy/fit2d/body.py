"""The body that is fitted: the model flattened for compiled code, its segments free to scale.

The pelvis is the root and moves freely; hands turn about the wrist keypoint and are left out.
Columns (K) are what the fit may change: angles of the joints in rad, scale factors of the
segments, the logarithm of the focal length, and the six of the root. Those of each limb stand
together and first, so that the normal matrix has an envelope.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import by_reference
from spinetrack_synth.skeleton import NAMES

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

TORSO_UNIT_M: Final = 0.50
"""What 'of the torso' refers to in the body's metres: the round length in which noise and limits
were measured, not the model's own, which has .568 m from between the hips to C7."""

SEGMENTS: Final[dict[str, tuple[float, float]]] = {
    "pelvis": (0.93, 0.06), "hip width": (1.05, 0.06), "lumbar spine": (0.93, 0.05),
    "thoracic spine": (0.95, 0.04), "cervical spine": (0.92, 0.06), "head": (0.96, 0.06),
    "chest depth": (1.04, 0.25), "chest width": (0.98, 0.12), "clavicle": (1.05, 0.10),
    "upper arm": (0.87, 0.05), "forearm": (0.92, 0.06), "thigh": (0.95, 0.05),
    "shank": (1.03, 0.05), "foot": (1.00, 0.07),
}  # fmt: skip
"""Mean scale factor and standard deviation of each segment, of both sides alike, against the model.

Mean and spread of 40 sampled subjects (`benchmarks/validate_anatomy.py --body` prints them), the
spreads no smaller than those of adult segments relative to stature (4-7 %, ANSUR II)."""

SURFACE_M: Final[dict[str, tuple[float, float, float]]] = {
    "nose": (0.111, 0.005, 0.0), "right_eye": (0.070, 0.046, 0.030), "head": (-0.008, 0.154, 0.0),
    "right_ear": (0.009, 0.022, 0.075), "right_big_toe": (0.047, 0.0, -0.036),
    "right_small_toe": (0.012, -0.004, 0.034), "right_heel": (-0.049, -0.015, 0.001),
    "right_latissimus": (-0.002, 0.012, 0.143),
}  # fmt: skip
"""Mean place of the markers on the skin in their bodies, m, of the same subjects, right side."""

SURFACE_SD_M: Final[dict[str, float]] = {
    "nose": 0.005, "eye": 0.004, "ear": 0.003, "head": 0.010, "big_toe": 0.006,
    "small_toe": 0.005, "heel": 0.009, "latissimus": 0.017, "clavicle": 0.006, "shoulder": 0.004,
}  # fmt: skip
"""How far a marker lies from where the scaled body has it, one standard deviation, m."""

_LEFT_OUT: Final = ("pelvis_", "pro_sup", "wrist_")

_NEUTRAL_DEG: Final[dict[str, float]] = {
    "knee_angle": 30, "elbow_flex": 30, "hip_flexion": 30, "arm_add": -30, "arm_flex": 30,
}  # fmt: skip
"""Where the prior of an angle is centred, where not at zero."""

_SD_OF_HALF_RANGE: Final = 0.5
"""Standard deviation of a joint's angle as a share of half its range."""

_BEYOND_LIMIT_SD_RAD: Final = np.radians(2.5)
"""Softness of the limits: ranges are those of most adults, not of all."""

_LOG_FOCAL_SD: Final = 0.35
"""Of an unknown focal length about the usual one."""


@by_reference
class Body(NamedTuple):
    """Flat arrays: B bodies, A axes, M = 37 markers in the skeleton's order, K columns.

    ``translation_segment`` (B, 3) and ``marker_segment`` (M, 3) name the column that scales that
    component, or -1. ``column_start`` (B + 1) into ``columns``: what moves each body;
    ``marker_column_start`` (M + 1) into ``marker_columns``: the same, with the segments that carry
    the marker. ``first`` (K,) is where each row of the normal matrix begins. ``focal`` is a column,
    ``root`` the first of three rotations about the camera's axes, then image x, image y and the
    logarithm of depth.
    """

    parent: Ints
    rotation: Array
    translation: Array
    translation_segment: Ints
    axis_start: Ints
    axis_direction: Array
    axis_column: Ints
    axis_slope: Array
    column_start: Ints
    columns: Ints
    marker_body: Ints
    marker_offset: Array
    marker_segment: Ints
    marker_column_start: Ints
    marker_columns: Ints
    marker_variance: Array
    mean: Array
    precision: Array
    lower: Array
    upper: Array
    limit_precision: float
    first: Ints
    focal: int
    root: int


def column_names(tree: Tree) -> tuple[str, ...]:
    """What each column of the fitted body stands for: coordinates, segments, camera, root."""
    free = [name for name in tree.free if not name.startswith(_LEFT_OUT)]
    limbs = [
        [name for name in free if name.startswith(stems) and name.endswith(side)]
        for stems in (("hip_", "knee", "ankle", "subtalar", "mtp"), ("clavicle", "arm", "elbow"))
        for side in ("_r", "_l")
    ]
    trunk = [name for name in free if not name.endswith(("_r", "_l"))]
    root = ("turn_x", "turn_y", "turn_z", "image_x", "image_y", "log_depth")
    return (*(name for limb in limbs for name in limb), *trunk, *SEGMENTS, "log_focal", *root)


def flatten(tree: Tree) -> Body:
    """The project's full-body model as a fitted body.

    Raises ValueError for a model with other joints than turning ones between its bodies.
    """
    names = column_names(tree)
    column = {name: k for k, name in enumerate(names)}
    chain = tree.chain
    if np.abs(chain.child_in_joint - np.eye(4)).max() > 1e-9 or tree.steps:
        raise ValueError(f"the model {tree.name} has joints that the fit to pictures cannot move")
    axes = _axes(tree, column)
    axis_start = np.cumsum([0, *(len(of_body) for of_body in axes)])
    flat = [axis for of_body in axes for axis in of_body]
    segment_of = np.full((len(tree.bodies), 3), -1)
    for body, parent in enumerate(chain.parent):
        for k in range(3):
            if parent >= 0 and chain.joint_in_parent[body, k, 3] != 0.0:
                segment = _segment(tree.bodies[parent], tree.bodies[body], k)
                segment_of[body, k] = column[segment] if segment else -1
    offsets = np.array([_marker_offset(tree, name) for name in NAMES])
    bodies = np.array([tree.marker_body[tree.marker_index[name]] for name in NAMES])
    marker_segment = _marker_segments(tree, bodies, offsets, column)
    moved_by = _moved_by(chain.parent, axes, segment_of, column)
    marked_by = [
        sorted(
            moved_by[body]
            | {int(s) for s in marker_segment[marker] if s >= 0}
            | {column["log_focal"]}
        )
        for marker, body in enumerate(bodies)
    ]
    mean, precision, lower, upper = _priors(tree, names)
    return Body(
        parent=chain.parent,
        rotation=np.ascontiguousarray(chain.joint_in_parent[:, :3, :3]),
        translation=np.ascontiguousarray(chain.joint_in_parent[:, :3, 3]),
        translation_segment=segment_of,
        axis_start=axis_start,
        axis_direction=np.array([direction for direction, _, _ in flat]),
        axis_column=np.array([k for _, k, _ in flat]),
        axis_slope=np.array([slope for _, _, slope in flat]),
        column_start=np.cumsum([0, *map(len, moved_by)]),
        columns=np.array([k for of_body in moved_by for k in sorted(of_body)]),
        marker_body=bodies,
        marker_offset=offsets,
        marker_segment=marker_segment,
        marker_column_start=np.cumsum([0, *map(len, marked_by)]),
        marker_columns=np.array([k for of_marker in marked_by for k in of_marker]),
        marker_variance=np.array([_marker_sd_m(name) ** 2 for name in NAMES]),
        mean=mean,
        precision=precision,
        lower=lower,
        upper=upper,
        limit_precision=float(1 / _BEYOND_LIMIT_SD_RAD**2),
        first=_envelope(names),
        focal=column["log_focal"],
        root=column["turn_x"],
    )


def _marker_segments(tree: Tree, bodies: Ints, offsets: Array, column: dict[str, int]) -> Ints:
    """The column whose segment each offset of a marker grows with, (M, 3); -1 where none does."""
    found = np.full((len(NAMES), 3), -1)
    for marker, body in enumerate(bodies):
        for k in range(3):
            if offsets[marker, k] != 0.0:
                segment = _segment(tree.bodies[body], NAMES[marker], k)
                found[marker, k] = column[segment] if segment else -1
    return found


def _axes(tree: Tree, column: dict[str, int]) -> list[list[tuple[Array, int, float]]]:
    """Direction, column and slope of the axes that move each body; the root's own are left out."""
    chain = tree.chain
    axes: list[list[tuple[Array, int, float]]] = [[] for _ in tree.bodies]
    for body in range(1, len(tree.bodies)):
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            coordinate = chain.axis_coordinate[axis]
            coefficients = chain.piece_coefficient[chain.piece_start[axis]]
            pieces = chain.piece_start[axis + 1] - chain.piece_start[axis]
            masters = np.flatnonzero(tree.coupling[coordinate])
            straight = pieces == 1 and not coefficients[0] and not coefficients[2:].any()
            if not chain.axis_is_rotation[axis] or not straight or len(masters) != 1:
                raise ValueError(
                    f"the model {tree.name} has joints that the fit to pictures cannot move"
                )
            name = tree.free[masters[0]]
            if name in column:
                slope = coefficients[1] * tree.coupling[coordinate, masters[0]]
                axes[body].append((chain.axis_direction[axis], column[name], float(slope)))
    return axes


def _segment(carrier: str, carried: str, component: int) -> str | None:
    """The segment that scales where a body or marker lies in the body that carries it."""
    stem = carrier.removesuffix("_r").removesuffix("_l")
    if stem == "pelvis":
        return "hip width" if component == 2 else "pelvis"
    if carried.endswith("latissimus"):
        return ("chest depth", "thoracic spine", "chest width")[component]
    if carried.startswith("clavicle"):
        return ("chest depth", "thoracic spine", "clavicle")[component]
    if stem[0] in "LTC" and stem[1:].isdigit():
        return {"L": "lumbar spine", "T": "thoracic spine", "C": "cervical spine"}[stem[0]]
    return {
        "sacrum": "pelvis", "skull": "head", "clavicle": "clavicle", "humerus": "upper arm",
        "ulna": "forearm", "radius": "forearm", "femur": "thigh", "tibia": "shank",
        "talus": "foot", "calcn": "foot", "toes": "foot",
    }.get(stem)  # fmt: skip


def _marker_offset(tree: Tree, name: str) -> Array:
    right = name.replace("left_", "right_")
    if right not in SURFACE_M:
        known_m: Array = tree.marker_offset_m[tree.marker_index[name]]
        return known_m
    mirror = np.array([1.0, 1.0, -1.0 if name.startswith("left_") else 1.0])
    return mirror * SURFACE_M[right]


def _marker_sd_m(name: str) -> float:
    return SURFACE_SD_M.get(name.removeprefix("left_").removeprefix("right_"), 0.002)


def _moved_by(
    parent: Ints, axes: list[list[tuple[Array, int, float]]], segment: Ints, column: dict[str, int]
) -> list[set[int]]:
    root = {k for name, k in column.items() if k >= column["turn_x"]}
    moved_by: list[set[int]] = []
    for body, of_body in enumerate(axes):
        above = moved_by[parent[body]] if parent[body] >= 0 else root
        own = {k for _, k, _ in of_body} | {int(s) for s in segment[body] if s >= 0}
        moved_by.append(above | own)
    return moved_by


def _priors(tree: Tree, names: tuple[str, ...]) -> tuple[Array, Array, Array, Array]:
    """Mean, precision, lower and upper limit of each column."""
    mean, sd = np.zeros(len(names)), np.full(len(names), np.inf)
    lower, upper = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for k, name in enumerate(names):
        if name in SEGMENTS:
            mean[k], sd[k] = SEGMENTS[name]
        elif name == "log_focal":
            sd[k] = _LOG_FOCAL_SD
        elif name in tree.coordinate_index:
            coordinate = tree.coordinate_index[name]
            lower[k], upper[k] = tree.lower[coordinate], tree.upper[coordinate]
            mean[k] = np.radians(_NEUTRAL_DEG.get(name.removesuffix("_r").removesuffix("_l"), 0))
            sd[k] = _SD_OF_HALF_RANGE * (upper[k] - lower[k]) / 2
    return mean, 1 / sd**2, lower, upper


def _envelope(names: tuple[str, ...]) -> Ints:
    """Where the rows of the normal matrix begin: a limb's at the limb, the others at 0."""
    first = np.zeros(len(names), dtype=np.int64)
    start, last = 0, ""
    for k, name in enumerate(names):
        if not name.endswith(("_r", "_l")):
            break
        leg = name.startswith(("hip_", "knee", "ankle", "subtalar", "mtp"))
        limb = ("leg" if leg else "arm") + name[-2:]
        if limb != last:
            start, last = k, limb
        first[k] = start
    return first
