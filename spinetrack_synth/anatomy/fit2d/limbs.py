"""Another try for a limb: its postures all over its range, the one that meets the points best.

A fit can end with the trunk right and an arm or leg bent the other way. Each limb's postures are
laid out once in the frame of the body it hangs on, and compared with the points in one pass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.fit2d.body import Body, column_names
from spinetrack_synth.anatomy.fit2d.solver import Work, place, workspace
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import apart, by_reference
from spinetrack_synth.skeleton import INDEX

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_POSTURES = 800

_LIMBS = (
    ("femur", ("hip_", "knee", "ankle", "subtalar", "mtp"),
     ("knee", "ankle", "big_toe", "small_toe", "heel")),
    ("humerus", ("arm_", "elbow"), ("elbow", "wrist")),
    ("C7", ("cervical_", "upper_cervical_"),
     ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head", "neck_02", "neck_03")),
)  # fmt: skip


@by_reference
class Limb(NamedTuple):
    """One limb: its ``columns`` (c,), ``carrier`` body, ``markers`` (p,), and postures: ``angles``
    (T, c) with the markers' ``places`` (T, p, 3) m from the limb's first joint in the carrier's
    frame; ``joint`` is the body that begins there."""

    columns: Ints
    carrier: int
    joint: int
    markers: Ints
    angles: Array
    places: Array


def make_limbs(tree: Tree, body: Body) -> tuple[Limb, ...]:
    """Legs, arms and the neck with the head; the same postures on both sides."""
    rng = np.random.default_rng(0)
    names = column_names(tree)
    work = workspace(body)
    limbs = []
    for joint, stems, points in _LIMBS:
        sides = (("_r", "right_"), ("_l", "left_")) if joint != "C7" else (("", ""),)
        drawn = None
        for side, word in sides:
            columns = [k for k, n in enumerate(names) if n.startswith(stems) and n.endswith(side)]
            if drawn is None:
                share = rng.uniform(size=(_POSTURES, len(columns)))
                drawn = body.lower[columns] + share * (body.upper - body.lower)[columns]
            markers = [INDEX[word + point] for point in points]
            bone = tree.body_index[joint + side]
            carrier = int(body.parent[bone])
            places = np.empty((_POSTURES, len(markers), 3))
            x = body.mean.copy()
            for k, angles in enumerate(drawn):
                x[columns] = angles
                place(body, x, np.eye(3), work, False)
                places[k] = (work.points[markers] - work.origin[bone]) @ work.rotation[carrier]
            limbs.append(Limb(np.array(columns), carrier, bone, np.array(markers), drawn, places))
    return tuple(limbs)


@apart()
def bend_limb(
    limb: Limb, body: Body, x: Array, focal_px: float, seen: Array, variance: Array, work: Work
) -> bool:
    """Set the limb's columns of x to the posture that meets its points best, the placed body in
    ``work`` carrying it; False where none of its points is seen."""
    count = 0
    for m in limb.markers:
        count += seen[m, 2] > 0
    if count == 0:
        return False
    rotation, origin = work.rotation[limb.carrier], work.origin[limb.joint]
    focal = focal_px * np.exp(x[body.focal])
    best, chosen = np.inf, 0
    for k in range(len(limb.angles)):
        cost = 0.0
        for p in range(len(limb.markers)):
            m = limb.markers[p]
            if seen[m, 2] <= 0:
                continue
            a, b, c = limb.places[k, p, 0], limb.places[k, p, 1], limb.places[k, p, 2]
            depth = origin[2] + rotation[2, 0] * a + rotation[2, 1] * b + rotation[2, 2] * c
            depth = max(depth, 0.1 * origin[2])
            u = origin[0] + rotation[0, 0] * a + rotation[0, 1] * b + rotation[0, 2] * c
            v = origin[1] + rotation[1, 0] * a + rotation[1, 1] * b + rotation[1, 2] * c
            u, v = focal * u / depth - seen[m, 0], focal * v / depth - seen[m, 1]
            cost += (u * u + v * v) / variance[m]
        if cost < best:
            best, chosen = cost, k
    for k in range(len(limb.columns)):
        x[limb.columns[k]] = limb.angles[chosen, k]
    return True
