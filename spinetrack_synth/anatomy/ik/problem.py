"""What is fitted, as arrays: markers and their weights, coordinate tasks, bounds and prior, and how
the free coordinates move the markers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
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
class Problem(NamedTuple):
    """What is fitted, the same for all frames. Columns are the free coordinates, leaves first.

    ``free`` (k,) says which free coordinate of the model a column is.
    ``marker_body``, ``marker_offset_m`` and ``marker_weight`` of P markers. Coupling: quantity i
    has the entries ``entry_start[i]:entry_start[i + 1]`` of ``entry_column`` and ``entry_slope``,
    and ``offset``. The ``program`` sets quantities that are no lines; the slopes of their entries
    are sums of terms: ``term_entry``'s grows by that of source ``term_source`` in its step times
    that of ``term_from``. A motion is what one column does to one body:
    ``motion_body``, ``motion_column`` (Q,) and the joint axes that bring it about,
    ``part_axis[part_start[i]:part_start[i + 1]]`` with their coupling entries ``part_entry``;
    ``above`` lists the motions that move what motion i moves, itself included.
    ``ties`` are changed by the motions ``tied_motion[tied_start[t]:tied_start[t + 1]]``, each
    with the sign ``tied_sign``. ``lower``, ``upper`` (k,), ``prior_center``, ``prior_weight`` (k,)
    for one marker; ``task_coordinate``, ``task_weight`` (T,).
    """

    free: Ints
    chain: Chain
    marker_body: Ints
    marker_offset_m: Array
    marker_weight: Array
    entry_start: Ints
    entry_column: Ints
    entry_slope: Array
    offset: Array
    program: Program
    term_entry: Ints
    term_source: Ints
    term_from: Ints
    motion_body: Ints
    motion_column: Ints
    part_start: Ints
    part_axis: Ints
    part_entry: Ints
    above_start: Ints
    above: Ints
    ties: Ties
    tied_start: Ints
    tied_motion: Ints
    tied_sign: Array
    lower: Array
    upper: Array
    prior_center: Array
    prior_weight: Array
    task_coordinate: Ints
    task_weight: Array


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
    coupling = _coupling(tree, free)
    term_entry, term_source, term_from = _terms(tree, coupling)
    motions = _motions(tree, coupling)
    parts = motions.parts
    ties = as_arrays(tree.ties, tree.body_index, tree.quantity_index)
    tied_start, tied_motion, tied_sign = _tied_motions(ties, ancestors(tree), motions.of_body)
    lower, upper = bounds(tree)
    chosen = [tree.marker_index[name] for name in markers]
    _check_goals(tree, goals)
    return Problem(
        free=free,
        chain=tree.chain,
        marker_body=tree.marker_body[chosen],
        marker_offset_m=tree.marker_offset_m[chosen],
        marker_weight=marker_weights,
        entry_start=coupling.start,
        entry_column=coupling.column,
        entry_slope=coupling.slope,
        offset=np.concatenate(
            [tree.offset, np.zeros(len(tree.quantities) - len(tree.coordinates))]
        ),
        program=tree.program,
        term_entry=term_entry,
        term_source=term_source,
        term_from=term_from,
        motion_body=np.array(motions.body, dtype=np.int64),
        motion_column=np.array(motions.column, dtype=np.int64),
        part_start=np.cumsum([0, *map(len, parts)], dtype=np.int64),
        part_axis=np.array([axis for row in parts for axis, _ in row], dtype=np.int64),
        part_entry=np.array([entry for row in parts for _, entry in row], dtype=np.int64),
        above_start=np.cumsum([0, *map(len, motions.above)], dtype=np.int64),
        above=np.array([motion for row in motions.above for motion in row], dtype=np.int64),
        ties=ties,
        tied_start=tied_start,
        tied_motion=tied_motion,
        tied_sign=tied_sign,
        lower=lower[free],
        upper=upper[free],
        prior_center=tree.default_coordinates[tree.free_index][free],
        prior_weight=prior_weight(tree, prior_m)[free],
        task_coordinate=np.array(
            [tree.coordinate_index[goal.coordinate] for goal in goals], dtype=np.int64
        ),
        task_weight=np.array([goal.weight for goal in goals], dtype=float),
    )


def column_of_free(problem: Problem) -> Ints:
    """The column (k,) of each free coordinate, in the order of `Tree.free`."""
    column_of = np.empty(len(problem.free), dtype=np.int64)
    column_of[problem.free] = np.arange(len(problem.free))
    return column_of


def has_task(problem: Problem) -> Bools:
    """Columns (k,) on which a coordinate task depends, so that no two angles are the same."""
    wanted = np.zeros(len(problem.lower), dtype=np.bool_)
    for i in problem.task_coordinate:
        wanted[problem.entry_column[problem.entry_start[i] : problem.entry_start[i + 1]]] = True
    return wanted


def _check_goals(tree: Tree, goals: Sequence[CoordinateGoal]) -> None:
    for goal in goals:
        if goal.coordinate not in tree.coordinate_index:
            near = difflib.get_close_matches(goal.coordinate, tree.coordinates, n=1, cutoff=0.0)
            raise UserError(
                f"coordinate task '{goal.coordinate}': not in the model {tree.name}"
                + (f", did you mean '{near[0]}'?" if near else "")
            )


class _Coupling(NamedTuple):
    """On which columns each quantity depends, and by what slopes: 0 where the program tells."""

    start: Ints
    column: Ints
    slope: Array


def _coupling(tree: Tree, free: Ints) -> _Coupling:
    column_of = np.empty(len(free), dtype=np.int64)
    column_of[free] = np.arange(len(free))
    rows, found = np.nonzero(tree.depends)
    slopes = np.zeros(tree.depends.shape)
    slopes[: len(tree.coordinates)] = tree.coupling
    start = np.searchsorted(rows, np.arange(len(tree.quantities) + 1))
    return _Coupling(start.astype(np.int64), column_of[found], slopes[rows, found])


def _terms(tree: Tree, coupling: _Coupling) -> tuple[Ints, Ints, Ints]:
    """The terms of the slopes of the program's quantities: entry, source, the source's entry."""
    program, terms = tree.program, []
    start, columns = coupling.start, coupling.column
    for step, target in enumerate(program.target.tolist()):
        own = {int(columns[e]): e for e in range(start[target], start[target + 1])}
        for source in range(program.source_start[step], program.source_start[step + 1]):
            i = program.source[source]
            terms += [(own[int(columns[e])], source, e) for e in range(start[i], start[i + 1])]
    entry, from_source, from_entry = np.array(terms, dtype=np.int64).reshape(-1, 3).T
    return entry.copy(), from_source.copy(), from_entry.copy()


class _Motions(NamedTuple):
    """What one column does to one body (Q of them): the axes that bring it about with their
    coupling entries, the motions that move what it moves, and the motions of each body."""

    body: list[int]
    column: list[int]
    parts: list[list[tuple[int, int]]]
    above: list[list[int]]
    of_body: dict[int, list[int]]


def _motions(tree: Tree, coupling: _Coupling) -> _Motions:
    chain = tree.chain
    parts: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for body in range(len(tree.bodies)):
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            i = int(chain.axis_coordinate[axis])
            if i >= 0:
                for entry in range(coupling.start[i], coupling.start[i + 1]):
                    parts.setdefault((body, int(coupling.column[entry])), []).append((axis, entry))
    of_body: dict[int, list[int]] = {}
    above = []
    hangs_on = ancestors(tree)
    for motion, (body, _) in enumerate(parts):
        of_body.setdefault(body, []).append(motion)
        above.append([m for b in hangs_on[body] for m in of_body.get(b, [])])
    bodies, columns = [body for body, _ in parts], [column for _, column in parts]
    return _Motions(bodies, columns, list(parts.values()), above, of_body)


def _tied_motions(
    ties: Ties, hangs_on: list[list[int]], of_body: Mapping[int, Sequence[int]]
) -> tuple[Ints, Ints, Array]:
    """The motions that change each tie: those that move one of its bodies and not the other."""
    start = [0]
    motions: list[int] = []
    signs: list[float] = []
    for a, b in zip(ties.body_a.tolist(), ties.body_b.tolist()):
        moving = [set(hangs_on[body]) if body != GROUND else set() for body in (a, b)]
        for sign, bodies in ((-1.0, moving[0] - moving[1]), (1.0, moving[1] - moving[0])):
            for body in sorted(bodies):
                motions += of_body.get(body, [])
                signs += [sign] * len(of_body.get(body, []))
        start.append(len(motions))
    return np.array(start, np.int64), np.array(motions, np.int64), np.array(signs, float)
