"""The size of a person from markers over landmarks: factors and pose that meet them together.

Lengths between markers on the skin depend on the pose (a shoulder and an elbow come apart when the
arm is raised), and the project's spine is bent otherwise by everybody. So the factors are not
ratios of lengths but part of the fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import FAINT_PRIOR_M, solve
from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions, point_jacobian
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.scaling import scale_tree

Array = NDArray[np.float64]

LANDMARK_M: Final = 0.01
"""Error of a marker over a landmark: palpation misses by 5 to 20 mm (Della Croce 2005)."""

PROPORTION: Final = 0.06
"""Spread of a segment's length over its share of the stature, of the logarithm: 4 to 7 per cent
(ANSUR 1988)."""

POSTURE: Final = 0.5
"""Spread of a coordinate about its default, as a part of its range: it only decides what the
markers leave open."""

STEP: Final = 1e-4
"""Step of a factor's logarithm when its effect is measured."""

LIKELY: Final = (0.5, 1.6)
"""Factors from a child's to a giant's."""

_LUMBAR: Final = ("sacrum", *(f"L{level}" for level in range(5, 0, -1)))
_THORACIC: Final = tuple(f"T{level}" for level in range(12, 0, -1))
_CERVICAL: Final = tuple(f"C{level}" for level in range(7, 0, -1))


def _both(*bodies: str) -> tuple[str, ...]:
    return tuple(f"{body}_{side}" for body in bodies for side in "rl")


PARTS: Final = (
    (("pelvis",), "XY"),
    (("pelvis",), "Z"),
    ((*_LUMBAR, *_THORACIC), "Y"),
    ((*_LUMBAR, *_THORACIC, *_both("clavicle")), "X"),
    ((*_LUMBAR, *_THORACIC, *_both("clavicle")), "Z"),
    (_both("clavicle"), "Y"),
    (_CERVICAL, "XYZ"),
    (("skull",), "XYZ"),
    (_both("humerus"), "XYZ"),
    (_both("ulna", "radius", "hand"), "XYZ"),
    (_both("femur"), "XYZ"),
    (_both("tibia"), "XYZ"),
    (_both("talus", "calcn", "toes"), "XYZ"),
)
"""What grows together: bodies and axes; left and right alike."""


def fitted_factors(
    tree: Tree, points_m: Mapping[str, Array], weights: Mapping[str, float]
) -> Array:
    """Scale factors (B, 3) with which the model's markers come nearest to ``points_m`` (3,) m of
    somebody who stands still; ``weights`` 1 for a marker over a landmark, less for others.

    Every part is drawn to the person's overall size, as far as people's proportions are alike.
    """
    from scipy.optimize import least_squares  # as slow to import as many a trial is to fit

    names = [n for n, p in points_m.items() if n in tree.marker_index and np.isfinite(p).all()]
    target_m = np.array([points_m[name] for name in names])
    fit = _Fit.of(tree, names, target_m, weights)
    limits = np.where(tree.clamped, tree.lower, -np.inf), np.where(tree.clamped, tree.upper, np.inf)
    lower, upper = (limit[tree.free_index] for limit in limits)
    start = solve(
        tree, names, target_m[None], weights=dict(weights), prior_m=FAINT_PRIOR_M, cold=True
    )
    z = np.clip(start.coordinates[0][tree.free_index], lower + 1e-9, upper - 1e-9)
    sizes = 1 + len(PARTS)
    bounds = (
        np.concatenate([np.full(sizes, np.log(LIKELY[0])), lower]),
        np.concatenate([np.full(sizes, np.log(LIKELY[1])), upper]),
    )
    found = least_squares(
        fit.residuals,
        np.concatenate([np.zeros(sizes), z]),
        fit.jacobian,
        bounds=bounds,
        max_nfev=60,
        ftol=1e-6,
    )
    return _factors(tree, np.exp(found.x[0] + found.x[1:sizes]))


@dataclass(frozen=True)
class _Fit:
    """Least squares in x: the logarithm of the size, those of the parts' factors relative to it,
    and the free coordinates.

    ``rows`` of the markers (M,) in the model, their ``target_m`` (M, 3) and ``error_m`` (M, 1);
    ``default`` and ``spread`` (k,) of the free coordinates.
    """

    tree: Tree
    rows: list[int]
    target_m: Array
    error_m: Array
    default: Array
    spread: Array

    @classmethod
    def of(
        cls, tree: Tree, names: Sequence[str], target_m: Array, weights: Mapping[str, float]
    ) -> _Fit:
        free = tree.free_index
        spread = POSTURE * np.minimum(tree.upper - tree.lower, 2 * np.pi)[free]
        # The base has no posture.
        moves_all = tree.chain.axis_coordinate[: tree.chain.axis_start[1]]
        spread[np.isin(free, moves_all)] = np.inf
        return cls(
            tree,
            [tree.marker_index[name] for name in names],
            target_m,
            LANDMARK_M / np.sqrt([weights[name] for name in names])[:, None],
            tree.default_coordinates[free],
            spread,
        )

    def residuals(self, x: Array) -> Array:
        size, parts, z = _parted(x)
        person = scale_tree(self.tree, _factors(self.tree, np.exp(size + parts)))
        at_m = marker_positions(person, all_coordinates(person, z))[self.rows]
        apart = (at_m - self.target_m) / self.error_m
        return np.concatenate([apart.ravel(), parts / PROPORTION, (z - self.default) / self.spread])

    def jacobian(self, x: Array) -> Array:
        tree, rows = self.tree, self.rows
        size, parts, z = _parted(x)
        q = all_coordinates(tree, z)
        grown = np.empty((3 * len(rows), len(PARTS)))
        for part in range(len(PARTS)):
            ends = []
            for step in (-STEP, STEP):
                moved = parts + step * (np.arange(len(PARTS)) == part)
                person = scale_tree(tree, _factors(tree, np.exp(size + moved)))
                ends.append(marker_positions(person, q)[rows] / self.error_m)
            grown[:, part] = (ends[1] - ends[0]).ravel() / (2 * STEP)
        person = scale_tree(tree, _factors(tree, np.exp(size + parts)))
        at = person.marker_body[rows], person.marker_offset_m[rows]
        turned = point_jacobian(person, q, *at) @ tree.coupling / self.error_m[:, :, None]
        moves = np.hstack([grown.sum(axis=1)[:, None], grown, turned.reshape(len(grown), -1)])
        priors = np.concatenate([np.full(len(PARTS), 1 / PROPORTION), 1 / self.spread])
        return np.vstack([moves, np.hstack([np.zeros((len(priors), 1)), np.diag(priors)])])


def _parted(x: Array) -> tuple[float, Array, Array]:
    """Logarithms of the size and of the parts' factors, and the free coordinates."""
    return x[0], x[1 : 1 + len(PARTS)], x[1 + len(PARTS) :]


def _factors(tree: Tree, of_part: Array) -> Array:
    factors = np.ones((len(tree.bodies), 3))
    for (bodies, axes), factor in zip(PARTS, of_part):
        for axis in axes:
            factors[[tree.body_index[body] for body in bodies], "XYZ".index(axis)] = factor
    return factors
