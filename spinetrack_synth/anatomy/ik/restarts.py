"""Where else a fit may begin: limbs that can be begun anew, and places spread over the ranges."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.problem import Problem, column_of_free
from spinetrack_synth.anatomy.ik.ranges import sensible_range
from spinetrack_synth.anatomy.ik.topology import ancestors, is_base, limb_roots, moved_bodies
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import by_reference

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

STARTS: Final = 32


@by_reference
class Restarts(NamedTuple):
    """Where else to begin: ``starts`` (S, k), rad and m, the default first. Limb 0 is the base with
    everything on it, then the limbs from the trunk outward: ``limb_columns`` (L, k),
    ``limb_markers`` (L, P)."""

    starts: Array
    limb_columns: Bools
    limb_markers: Bools


def make_restarts(tree: Tree, problem: Problem) -> Restarts:
    """The starting points of a problem, and the limbs that its markers show."""
    hangs_on = ancestors(tree)
    carries = np.zeros((len(tree.bodies), len(problem.markers.body)), dtype=np.bool_)
    for marker, body in enumerate(problem.markers.body):
        if body >= 0:
            carries[hangs_on[body], marker] = True
    column_of = column_of_free(problem)
    moved_at: dict[int, list[int]] = {}
    for body, k in moved_bodies(tree):
        moved_at.setdefault(int(column_of[k]), []).append(body)
    base = is_base(tree)[problem.free]
    everything = problem.markers.body >= 0
    limbs = [(base, everything)]
    if not base.any():  # an arm on a wall: all of it is one limb, besides those that it branches to
        limbs.append((np.ones(len(base), dtype=np.bool_), everything))
    for root in limb_roots(tree, carries):
        columns = np.zeros(len(base), dtype=np.bool_)
        for column, bodies in moved_at.items():
            columns[column] = not base[column] and all(root in hangs_on[b] for b in bodies)
        if columns.any():
            limbs.append((columns, carries[root]))
    return Restarts(
        starts=_starting_points(tree, problem),
        limb_columns=np.array([columns for columns, _ in limbs]),
        limb_markers=np.array([markers for _, markers in limbs]),
    )


def _starting_points(tree: Tree, problem: Problem) -> Array:
    """Starting points (S, k): the default, and others that fill the ranges (Kronecker sequence)."""
    free = tree.free_index[problem.free]
    lower = np.where(np.isfinite(problem.lower), problem.lower, -np.pi)
    upper = np.where(np.isfinite(problem.upper), problem.upper, np.pi)
    known = sensible_range(tree)[problem.free]
    lower = np.where(~np.isnan(known), np.maximum(lower, tree.lower[free]), lower)
    upper = np.where(~np.isnan(known), np.minimum(upper, tree.upper[free]), upper)
    roots = np.sqrt(_primes(len(free)))
    share = (0.5 + np.arange(1, STARTS + 1)[:, None] * (roots % 1.0)) % 1.0
    points = lower + share * (upper - lower)
    points[0] = problem.prior.center
    return np.ascontiguousarray(np.where(tree.rotational[free], points, problem.prior.center))


def _primes(count: int) -> Array:
    numbers: list[int] = []
    candidate = 2
    while len(numbers) < count:
        if all(candidate % p for p in numbers):
            numbers.append(candidate)
        candidate += 1
    return np.array(numbers, dtype=float)
