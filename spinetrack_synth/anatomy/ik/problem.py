"""What is fitted, as arrays: markers and their weights, coordinate tasks, bounds and prior, and how
the free coordinates move the markers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.amounts import Program
from spinetrack_synth.anatomy.constraints import Ties, as_arrays
from spinetrack_synth.anatomy.ik.ranges import bounds, prior_weight
from spinetrack_synth.anatomy.ik.topology import ancestors, leaves_first
from spinetrack_synth.anatomy.model import GROUND, Chain, Tree
from spinetrack_synth.compiled import by_reference
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class CoordinateGoal:
    """A coordinate that shall be near ``values``: a number, or one a frame (F,); rad or m."""

    coordinate: str
    weight: float
    values: ArrayLike


@by_reference
class Markers(NamedTuple):
    """The P markers that are fitted: ``body`` (P,), -1 on ground, ``offset_m`` (P, 3) in its frame,
    ``weight`` (P,)."""

    body: Ints
    offset_m: Array
    weight: Array


@by_reference
class Coupling(NamedTuple):
    """How quantities follow the columns.

    Quantity i has the entries ``start[i]:start[i + 1]`` of ``column`` and ``slope``, and
    ``offset``. The ``program`` sets quantities that are no lines; the slopes of their entries are
    sums of terms: ``term_entry``'s grows by that of source ``term_source`` in its step times that
    of ``term_from``.
    """

    start: Ints
    column: Ints
    slope: Array
    offset: Array
    program: Program
    term_entry: Ints
    term_source: Ints
    term_from: Ints


@by_reference
class Motions(NamedTuple):
    """What one column does to one body: Q motions.

    ``body``, ``column`` (Q,) and the joint axes that bring it about, ``part_axis`` from
    ``part_start[i]`` to ``part_start[i + 1]``, with their coupling entries ``part_entry``.
    ``above`` lists the motions that move what motion i moves, itself included, from
    ``above_start[i]`` to ``above_start[i + 1]``.
    """

    body: Ints
    column: Ints
    part_start: Ints
    part_axis: Ints
    part_entry: Ints
    above_start: Ints
    above: Ints


@by_reference
class TiedMotions(NamedTuple):
    """Which motions change a tie: ``motion[start[t]:start[t + 1]]``, each with its ``sign``."""

    start: Ints
    motion: Ints
    sign: Array


@by_reference
class Prior(NamedTuple):
    """Where columns are drawn to: ``center`` (k,), rad and m, and ``weight`` (k,) for one marker,
    m^2 a rad^2 or m^2."""

    center: Array
    weight: Array


@by_reference
class CoordinateTasks(NamedTuple):
    """The quantities ``coordinate`` (T,) that shall be near values of their own in every frame, and
    the ``weight`` (T,) of each."""

    coordinate: Ints
    weight: Array


@by_reference
class Problem(NamedTuple):
    """What is fitted, the same for all frames. Columns are the free coordinates, leaves first.

    ``free`` (k,) says which of `Tree.free` a column is, ``lower`` and ``upper`` (k,) are its
    bounds, rad and m. ``ties`` are the constraints that are not coupled away, ``tied`` what changes
    them.
    """

    free: Ints
    chain: Chain
    markers: Markers
    coupling: Coupling
    motions: Motions
    ties: Ties
    tied: TiedMotions
    lower: Array
    upper: Array
    prior: Prior
    tasks: CoordinateTasks


def make_problem(
    tree: Tree,
    markers: Sequence[str],
    marker_weights: Array,
    goals: Sequence[CoordinateGoal],
    prior_m: float,
) -> Problem:
    """The problem of fitting ``markers`` (P,) of a model with ``marker_weights`` (P,) and goals.

    ``prior_m`` is the marker error (m) that the prior assumes. Raises UserError where a goal names
    no coordinate of the model.
    """
    free = leaves_first(tree)
    chosen = [tree.marker_index[name] for name in markers]
    coupling = _coupling(tree, free)
    motions = _motions(tree, coupling)
    ties = as_arrays(tree.ties, tree.body_index, tree.quantity_index)
    lower, upper = bounds(tree)
    return Problem(
        free=free,
        chain=tree.chain,
        markers=Markers(tree.marker_body[chosen], tree.marker_offset_m[chosen], marker_weights),
        coupling=coupling,
        motions=motions,
        ties=ties,
        tied=_tied_motions(tree, ties, motions),
        lower=lower[free],
        upper=upper[free],
        prior=Prior(
            tree.default_coordinates[tree.free_index][free], prior_weight(tree, prior_m)[free]
        ),
        tasks=_tasks(tree, goals),
    )


def with_prior(problem: Problem, weight: Array) -> Problem:
    """The problem under a prior of other weights (k,)."""
    return problem._replace(prior=problem.prior._replace(weight=weight))


def column_of_free(problem: Problem) -> Ints:
    """The column (k,) of each free coordinate, in the order of `Tree.free`."""
    column_of = np.empty(len(problem.free), dtype=np.int64)
    column_of[problem.free] = np.arange(len(problem.free))
    return column_of


def has_task(problem: Problem) -> Bools:
    """Columns (k,) on which a coordinate task depends, so that no two angles are the same."""
    wanted = np.zeros(len(problem.lower), dtype=np.bool_)
    for i in problem.tasks.coordinate:
        wanted[
            problem.coupling.column[problem.coupling.start[i] : problem.coupling.start[i + 1]]
        ] = True
    return wanted


def _tasks(tree: Tree, goals: Sequence[CoordinateGoal]) -> CoordinateTasks:
    for goal in goals:
        if goal.coordinate not in tree.coordinate_index:
            near = difflib.get_close_matches(goal.coordinate, tree.coordinates, n=1, cutoff=0.0)
            raise UserError(
                f"coordinate task '{goal.coordinate}': not in the model {tree.name}"
                + (f", did you mean '{near[0]}'?" if near else "")
            )
    rows = [tree.coordinate_index[goal.coordinate] for goal in goals]
    weights = [goal.weight for goal in goals]
    return CoordinateTasks(np.array(rows, dtype=np.int64), np.array(weights, dtype=float))


def _coupling(tree: Tree, free: Ints) -> Coupling:
    """The slopes of entries whose quantity the program sets are 0: it tells them."""
    column_of = np.empty(len(free), dtype=np.int64)
    column_of[free] = np.arange(len(free))
    rows, found = np.nonzero(tree.depends)
    slopes = np.zeros(tree.depends.shape)
    slopes[: len(tree.coordinates)] = tree.coupling
    start = np.searchsorted(rows, np.arange(len(tree.quantities) + 1)).astype(np.int64)
    column = column_of[found]
    rest = np.zeros(len(tree.quantities) - len(tree.coordinates))
    return Coupling(
        start,
        column,
        slopes[rows, found],
        np.concatenate([tree.offset, rest]),
        tree.program,
        *_terms(tree.program, start, column),
    )


def _terms(program: Program, start: Ints, column: Ints) -> tuple[Ints, Ints, Ints]:
    """The terms of the slopes of the program's quantities: entry, source, the source's entry."""
    terms = []
    for step, target in enumerate(program.target.tolist()):
        own = {int(column[e]): e for e in range(start[target], start[target + 1])}
        for source in range(program.source_start[step], program.source_start[step + 1]):
            i = program.source[source]
            terms += [(own[int(column[e])], source, e) for e in range(start[i], start[i + 1])]
    entry, from_source, from_entry = np.array(terms, dtype=np.int64).reshape(-1, 3).T
    return entry.copy(), from_source.copy(), from_entry.copy()


def _motions(tree: Tree, coupling: Coupling) -> Motions:
    chain = tree.chain
    parts: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for body in range(len(tree.bodies)):
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            i = int(chain.axis_coordinate[axis])
            if i >= 0:
                for entry in range(coupling.start[i], coupling.start[i + 1]):
                    parts.setdefault((body, int(coupling.column[entry])), []).append((axis, entry))
    of_body = _by_body([body for body, _ in parts])
    hangs_on = ancestors(tree)
    above = [
        [other for b in hangs_on[body] for other in of_body.get(b, []) if other <= motion]
        for motion, (body, _) in enumerate(parts)
    ]
    return Motions(
        body=np.array([body for body, _ in parts], dtype=np.int64),
        column=np.array([column for _, column in parts], dtype=np.int64),
        part_start=np.cumsum([0, *map(len, parts.values())], dtype=np.int64),
        part_axis=np.array([axis for row in parts.values() for axis, _ in row], dtype=np.int64),
        part_entry=np.array([entry for row in parts.values() for _, entry in row], dtype=np.int64),
        above_start=np.cumsum([0, *map(len, above)], dtype=np.int64),
        above=np.array([motion for row in above for motion in row], dtype=np.int64),
    )


def _by_body(bodies: Sequence[int]) -> dict[int, list[int]]:
    """The motions of each body, from the body of each motion."""
    of_body: dict[int, list[int]] = {}
    for motion, body in enumerate(bodies):
        of_body.setdefault(body, []).append(motion)
    return of_body


def _tied_motions(tree: Tree, ties: Ties, motions: Motions) -> TiedMotions:
    """Those that move one of a tie's bodies and not the other."""
    hangs_on, of_body = ancestors(tree), _by_body(motions.body.tolist())
    start = [0]
    tied: list[int] = []
    signs: list[float] = []
    for a, b in zip(ties.body_a.tolist(), ties.body_b.tolist()):
        moving = [set(hangs_on[body]) if body != GROUND else set() for body in (a, b)]
        for sign, bodies in ((-1.0, moving[0] - moving[1]), (1.0, moving[1] - moving[0])):
            for body in sorted(bodies):
                tied += of_body.get(body, [])
                signs += [sign] * len(of_body.get(body, []))
        start.append(len(tied))
    return TiedMotions(np.array(start, np.int64), np.array(tied, np.int64), np.array(signs, float))
