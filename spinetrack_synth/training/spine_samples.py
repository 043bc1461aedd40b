"""People as pictures can show them: the model in many proportions and postures, from everywhere.

What ``spine_shapes`` holds to be likely is learnt from these.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import body_transforms, body_transforms_batch
from spinetrack_synth.anatomy.model import Tree, fullbody
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.avatars.rig import Rig, bent
from spinetrack_synth.avatars.spines import draw_spine
from spinetrack_synth.poses.library import either_side, library
from spinetrack_synth.poses.sampling import blend, sample_pose

Array = NDArray[np.float64]
Rng = np.random.Generator

POSTURES: Final = 40
"""Of each person."""

NOT_NORMAL: Final = 0.25
"""Share of people whose spine is not normal: more than there are, so that theirs are well known."""

IN_POSE: Final = 0.65
BETWEEN_POSES: Final = 0.2
"""Shares of the library's poses and of postures between two of them. In the others all regions of
the spine are anywhere within their ranges, however rarely people bend so."""

PROPORTION_SD: Final = {
    ("sacrum", "L"): 0.05, ("T",): 0.03, ("C", "skull"): 0.06,
    ("humerus", "ulna", "radius"): 0.06, ("femur", "tibia"): 0.07,
}  # fmt: skip
"""Deviation of the length of bodies, by how their names begin: a little more than among 241 of our
avatars (.046, .013 and .037 within the spine, .04 to .07 of limbs relative to it)."""

POINT_SD: Final = 0.012
"""Deviation of a point along each axis of the picture, over the length of the spine: 7 mm, about
what lies between labels of one point by two people (own estimate)."""

ELEVATION_DEG: Final = (9.0, 16.0)
ANYWHERE: Final = 0.15
"""Mean and deviation of the camera's height above the person (1,002 people of our scenes), and the
share of cameras in any direction, straight above and below too."""

DISTANCE_M: Final = (3.5, 0.55)
NEAREST_M: Final = 1.5
"""Median and deviation of the logarithm (the same people). What is nearer than a third of the way
to the camera is drawn as if it were there."""

PX_PER_M: Final = 100.0
"""At the person's distance."""

SPINAL: Final = ("lumbar_", "thoracic_", "cervical_", "upper_cervical_")


def sample_people(count: int, rng: Rng) -> Array:
    """Keypoints (count, 37, 2) in pixels of pictures, y down: of somebody who stands upright some
    170 of them, wherever the middle of the picture is."""
    places = np.empty((count, len(skeleton.NAMES), 3))
    for first in range(0, count, POSTURES):
        tree = _person(rng)
        rows = range(first, min(first + POSTURES, count))
        places[rows] = _places(tree, np.array([_posture(tree, rng) for _ in rows]))
    return _seen(places, rng)


def _person(rng: Rng) -> Tree:
    """The model in somebody's proportions, one in four with a spine that is not normal."""
    model = fullbody()
    factors = np.ones((len(model.bodies), 3))
    for beginnings, sd in PROPORTION_SD.items():
        rows = [row for row, name in enumerate(model.bodies) if name.startswith(beginnings)]
        factors[rows] = np.exp(sd * rng.standard_normal())
    tree = scale_tree(model, factors)
    if rng.random() >= NOT_NORMAL:
        return tree
    rest = np.zeros(len(tree.coordinates))
    rig = Rig(tree, factors, rest, body_transforms(tree, rest))
    return bent(rig, draw_spine(rng.uniform(18, 85), rng)).tree


def _posture(tree: Tree, rng: Rng) -> Array:
    """A posture q (n,) within the limits."""
    kind = rng.random()
    a = _in_pose(tree, rng)
    if kind < IN_POSE:
        return a
    if kind < IN_POSE + BETWEEN_POSES:
        return blend(tree, a, _in_pose(tree, rng), rng.random())
    z = a[tree.free_index]
    spinal = np.array([name.startswith(SPINAL) for name in tree.free])
    limits = (edge[tree.free_index][spinal] for edge in (tree.lower, tree.upper))
    z[spinal] = rng.uniform(*limits)
    q: Array = tree.coupling @ z + tree.offset
    return q


def _in_pose(tree: Tree, rng: Rng) -> Array:
    poses = list(library().values())
    return sample_pose(tree, either_side(poses[rng.integers(len(poses))], rng), rng)


def _places(tree: Tree, q: Array) -> Array:
    """Keypoints (F, 37, 3) m in the world at F postures."""
    markers = [tree.marker_index[name] for name in skeleton.NAMES]
    frames = body_transforms_batch(tree, q)[:, tree.marker_body[markers]]
    offsets = tree.marker_offset_m[markers]
    places: Array = np.einsum("fkij,kj->fki", frames[..., :3, :3], offsets) + frames[..., :3, 3]
    return places


def _seen(places: Array, rng: Rng) -> Array:
    """What cameras see of people (F, 37, 3) whom they look at: (F, 37, 2), a little off."""
    count = len(places)
    elevation = np.radians(ELEVATION_DEG[0] + ELEVATION_DEG[1] * rng.standard_normal(count))
    anywhere = rng.random(count) < ANYWHERE
    elevation[anywhere] = np.arcsin(rng.uniform(-1, 1, anywhere.sum()))
    azimuth = rng.uniform(0, 2 * np.pi, count)
    flat, level = np.cos(elevation), np.zeros(count)
    back = np.stack([flat * np.cos(azimuth), np.sin(elevation), flat * np.sin(azimuth)], axis=-1)
    right = np.stack([np.sin(azimuth), level, -np.cos(azimuth)], axis=-1)
    down = np.cross(right, back)
    distance = DISTANCE_M[0] * np.exp(DISTANCE_M[1] * rng.standard_normal(count))
    distance = np.maximum(distance, NEAREST_M)[:, None]
    away = places - places.mean(axis=1, keepdims=True)
    depth = np.maximum(distance - np.einsum("fki,fi->fk", away, back), distance / 3)
    across = np.stack([np.einsum("fki,fi->fk", away, axis) for axis in (right, down)], axis=-1)
    seen = across * (distance / depth)[..., None]
    spine = places[:, list(skeleton.SPINE)]
    length = np.linalg.norm(np.diff(spine, axis=1), axis=-1).sum(axis=1)[:, None, None]
    noisy: Array = PX_PER_M * (seen + POINT_SD * length * rng.standard_normal(seen.shape))
    return noisy
