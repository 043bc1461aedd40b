"""A jointed figure of plain round shapes around the bones of the model.

It stands in where no skinned body is at hand: to ground poses, to draw them, to test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.lengths import distance_m

Array = NDArray[np.float64]

RINGS: Final = 6
SHAFT_RINGS: Final = 6
SEGMENTS: Final = 14


@dataclass(frozen=True)
class Mannequin:
    """A figure in the anatomical position (all coordinates zero).

    ``vertices_world`` (V, 3) m, ``faces`` (F, 3), ``body`` (V,) index into ``Tree.bodies``.
    """

    vertices_world: Array
    faces: NDArray[np.int64]
    body: NDArray[np.int64]


def mannequin(tree: Tree) -> Mannequin:
    """The figure for a model, its limbs as long as the model's.

    Girths are an average adult's (own estimate), scaled with the length of the thigh.
    """
    body2world = body_transforms(tree, np.zeros(len(tree.coordinates)))
    joints = {name: body2world[index, :3, 3] for index, name in enumerate(tree.bodies)}
    thigh_m = float(np.linalg.norm(joints["tibia_r"] - joints["femur_r"]))
    scale = thigh_m / distance_m("right_hip", "right_knee")
    shapes = [*_trunk(joints, scale), *_limbs(joints, scale, "r"), *_limbs(joints, scale, "l")]
    vertices, faces, body, count = [], [], [], 0
    directions, place, triangles = _surface_grid()
    for name, start, end, first, last in shapes:
        shape = _loft(directions, place, start, end, first, last)
        vertices.append(shape)
        faces.append(triangles + count)
        body.append(np.full(len(shape), tree.bodies.index(name)))
        count += len(shape)
    return Mannequin(np.concatenate(vertices), np.concatenate(faces), np.concatenate(body))


Shape = tuple[str, Array, Array, Array, Array]
"""Body, start and end of the axis, the (x, y, z) half axes around them, all in m."""


def _trunk(joints: dict[str, Array], scale: float) -> list[Shape]:
    def ball(body: str, center: Array, half_axes: tuple[float, float, float]) -> Shape:
        radii = np.array(half_axes) * scale
        return body, center, center, radii, radii

    def ahead(body: str, x: float, y: float = 0.0, z: float = 0.0) -> Array:
        return joints[body] + np.array([x, y, z]) * scale

    hip = joints["femur_r"] * (1, 1, 0)
    shapes = [ball("pelvis", hip + np.array([0.0, 0.05, 0.0]) * scale, (0.105, 0.11, 0.165))]
    shapes += [
        ball("pelvis", hip + np.array([-0.035, -0.01, z]) * scale, (0.095, 0.09, 0.085))
        for z in (-0.08, 0.08)
    ]
    girths = {"L": (0.1, 0.05, 0.138), "T1": (0.102, 0.045, 0.142), "T": (0.108, 0.045, 0.15)}
    for level in ("L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10", "T9", "T8", "T7", "T6", "T5"):
        girth = girths["L" if level[0] == "L" else "T1" if len(level) == 3 else "T"]
        shapes.append(ball(level, ahead(level, 0.025, 0.015), girth))
    for level, girth in {
        "T4": (0.1, 0.04, 0.14), "T3": (0.09, 0.04, 0.12), "T2": (0.075, 0.035, 0.1),
        "T1": (0.065, 0.03, 0.08),
    }.items():  # fmt: skip
        shapes.append(ball(level, ahead(level, 0.01, 0.01), girth))
    for level in ("C7", "C6", "C5", "C4", "C3", "C2", "C1"):
        shapes.append(ball(level, ahead(level, 0.01, 0.008), (0.06, 0.03, 0.058)))
    shapes.append(ball("skull", ahead("skull", 0.015, 0.055), (0.1, 0.097, 0.076)))
    shapes.append(ball("skull", ahead("skull", 0.06, -0.015), (0.05, 0.06, 0.05)))
    shapes.append(ball("skull", ahead("skull", 0.108, 0.01), (0.017, 0.014, 0.012)))
    return shapes


def _limbs(joints: dict[str, Array], scale: float, s: str) -> list[Shape]:
    sign = 1.0 if s == "r" else -1.0
    at = {name.removesuffix(f"_{s}"): joint for name, joint in joints.items()}

    def moved(point: Array, x: float, y: float, z: float) -> Array:
        return point + np.array([x, y, sign * z]) * scale

    def bone(
        body: str, start: Array, end: Array, first: tuple[float, ...], last: tuple[float, ...]
    ) -> Shape:
        return f"{body}_{s}", start, end, np.array(first) * scale, np.array(last) * scale

    def tube(body: str, start: Array, end: Array, first: float, last: float) -> Shape:
        return bone(body, start, end, (first,) * 3, (last,) * 3)

    sole = at["toes"][1] - 0.018 * scale
    heel = np.array([at["calcn"][0], sole + 0.028 * scale, at["calcn"][2]])
    ball = np.array([at["toes"][0], sole + 0.028 * scale, at["toes"][2]])
    toe_root = np.array([at["toes"][0] + 0.01, sole + 0.013 * scale, at["toes"][2]])
    calf = at["tibia"] + 0.3 * (at["talus"] - at["tibia"])
    forearm_belly = at["ulna"] + 0.25 * (at["hand"] - at["ulna"])
    return [
        tube("femur", moved(at["femur"], -0.005, -0.03, -0.005), at["tibia"], 0.085, 0.055),
        tube("tibia", at["tibia"], at["talus"], 0.053, 0.035),
        tube("tibia", moved(calf, -0.018, 0, 0), moved(calf, -0.012, -0.08, 0), 0.05, 0.042),
        tube("talus", at["talus"], at["calcn"], 0.034, 0.03),
        bone("calcn", heel, ball, (0.026, 0.028, 0.031), (0.026, 0.028, 0.044)),
        bone("toes", toe_root, moved(toe_root, 0.045, 0, 0),
             (0.02, 0.013, 0.044), (0.022, 0.012, 0.036)),
        tube("clavicle", moved(at["humerus"], 0.0, 0.005, -0.06), at["humerus"], 0.058, 0.055),
        tube("humerus", at["humerus"], at["ulna"], 0.052, 0.04),
        tube("ulna", at["ulna"], forearm_belly, 0.04, 0.041),
        tube("radius", forearm_belly, at["hand"], 0.041, 0.028),
        bone("hand", moved(at["hand"], 0, -0.03, 0), moved(at["hand"], 0, -0.085, 0),
             (0.017, 0.03, 0.032), (0.014, 0.02, 0.042)),
        bone("hand", moved(at["hand"], 0, -0.09, 0), moved(at["hand"], 0, -0.165, 0),
             (0.012, 0.02, 0.04), (0.008, 0.015, 0.03)),
        tube("hand", moved(at["hand"], 0.006, -0.045, 0.035),
             moved(at["hand"], 0.01, -0.095, 0.058), 0.013, 0.01),
    ]  # fmt: skip


def _surface_grid() -> tuple[Array, Array, NDArray[np.int64]]:
    """Directions (V, 3) of a sphere cut at its equator and pulled apart along y, the place of each
    along the pull (0 upper half, 1 lower half, between on the shaft), and faces."""
    upper = np.linspace(np.pi / 2, 0, RINGS)
    shaft = np.linspace(0, 1, SHAFT_RINGS + 2)[1:-1]
    polar = np.concatenate([upper, np.zeros(SHAFT_RINGS), -upper[::-1]])
    place = np.concatenate([np.zeros(RINGS), shaft, np.ones(RINGS)])
    around = np.linspace(0, 2 * np.pi, SEGMENTS, endpoint=False)
    height, radius = np.sin(polar)[:, None], np.cos(polar)[:, None]
    directions = np.stack(
        np.broadcast_arrays(radius * np.cos(around), height, radius * np.sin(around)), axis=-1
    ).reshape(-1, 3)
    ring, segment = np.meshgrid(np.arange(len(polar) - 1), np.arange(SEGMENTS), indexing="ij")
    a = (ring * SEGMENTS + segment).ravel()
    b = (ring * SEGMENTS + (segment + 1) % SEGMENTS).ravel()
    faces = np.concatenate(
        [np.stack([a, b, a + SEGMENTS], 1), np.stack([b, b + SEGMENTS, a + SEGMENTS], 1)]
    )
    return directions, np.repeat(place, SEGMENTS)[:, None], faces


def _loft(
    directions: Array, place: Array, start: Array, end: Array, first: Array, last: Array
) -> Array:
    """A round shape from ``start`` to ``end`` whose half axes go from ``first`` to ``last``.

    The half axes stay along the world's axes, which the limbs follow in the anatomical position.
    """
    axis = start - end
    turn = np.eye(3)
    if np.linalg.norm(axis) > 1e-6 and np.argmax(np.abs(axis)) != 1:
        pole = np.eye(3)[np.argmax(np.abs(axis))] * np.sign(axis[np.argmax(np.abs(axis))])
        turn = np.stack([np.cross(pole, [0.0, 0.0, 1.0]), pole, [0.0, 0.0, 1.0]], axis=1)
        if abs(pole[2]) > 0.5:
            turn = np.stack([[1.0, 0.0, 0.0], pole, np.cross([1.0, 0.0, 0.0], pole)], axis=1)
    half_axes = first + place * (last - first)
    return directions @ turn.T * half_axes + start + place * (end - start)
