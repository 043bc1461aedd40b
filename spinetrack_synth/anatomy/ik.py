"""Inverse kinematics: the coordinates at which a model's markers lie where markers were measured.

The objective is the one of OpenSim's InverseKinematicsTool, plus a prior so weak that it decides
only what the markers leave open. How it is minimised: `least_squares`, `tracking`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.constraints import Ties, as_arrays
from spinetrack_synth.anatomy.functions import Piecewise
from spinetrack_synth.anatomy.least_squares import (
    Problem,
    Scratch,
    differentiate,
    evaluate,
    make_scratch,
    solve_frame,
    spread,
    weigh,
)
from spinetrack_synth.anatomy.model import GROUND, Tree
from spinetrack_synth.anatomy.second_look import look_again
from spinetrack_synth.anatomy.tracking import GOOD_M, Restarts, read_out, track
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Progress = Callable[[int, int], None]

FAINT_PRIOR_M: Final = 1e-5
"""Marker error that the prior of what the markers show assumes: it holds what no marker shows at
its default value and moves what the markers do show by less than 1e-6 rad."""

OPEN_SHARE: Final = 0.5
"""A coordinate is open where markers of the recording's error leave it a standard error larger than
this share of its range: they say next to nothing about it that the range does not say."""

ERROR_FRAMES: Final = 8
ERROR_PASSES: Final = 4
SAME_ERROR: Final = 0.02
"""Frames, and fits of them, from which the error of a recording's markers is estimated; relative
change at which it is taken."""

ERROR_POSES: Final = 5
"""Poses in which it is asked what markers show: the default and some that fill the ranges."""

BROAD_PRIOR_M: Final = 0.02
"""Marker error assumed while a frame is searched from afar: it keeps joints from their limits."""

RANGE_PER_DEVIATION: Final = 4.0
"""The prior takes a coordinate's range for four standard deviations: 95% lie within it."""

UNKNOWN_DEVIATION: Final = 0.5
"""Standard deviation (rad, m) of the prior where a model gives no sensible range."""

BASE_PRIOR: Final = 1e-14
"""Prior weight of where a body as a whole stands in the world: nothing is known of it."""

STARTS: Final = 32
BLOCK_FRAMES: Final = 256
"""Frames between two calls of ``progress``."""


@dataclass(frozen=True)
class CoordinateGoal:
    """A coordinate that shall be near ``values``: a number, or one a frame (F,); rad or m."""

    coordinate: str
    weight: float
    values: ArrayLike


@dataclass(frozen=True)
class Solution:
    """Coordinates over F frames and how well P markers are met.

    ``coordinates`` (F, n), rad and m; ``markers`` (P,) the names of those that were fitted;
    ``weights`` (P,); ``marker_error_m`` (F, P) distance between the model's marker and the
    measured one, NaN where missing; ``objective`` (F,) m^2, NaN where a frame has no marker and
    repeats its predecessor; ``steps`` (F,) Gauss-Newton steps. ``open_coordinates`` are those that
    the default prior drew to their defaults as for markers that are wrong by ``prior_m``.
    """

    coordinates: Array
    markers: tuple[str, ...]
    weights: Array
    marker_error_m: Array
    objective: Array
    steps: Ints
    prior_m: float = 0.0
    open_coordinates: tuple[str, ...] = ()

    @property
    def frame_rms_m(self) -> Array:
        """Root mean square of the marker errors of each frame, (F,), NaN without markers."""
        return _root_mean(self.marker_error_m, np.ones(len(self.weights)))

    @property
    def frame_weighted_rms_m(self) -> Array:
        """The same, by the weights: what is minimised, (F,)."""
        return _root_mean(self.marker_error_m, self.weights)

    @property
    def rms_m(self) -> float:
        """Root mean square of all marker errors."""
        return float(np.sqrt(np.nanmean(self.marker_error_m**2)))


def _root_mean(error_m: Array, weights: Array) -> Array:
    seen = np.isfinite(error_m)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = (np.where(seen, error_m, 0.0) ** 2) @ weights
        return np.asarray(np.sqrt(total / (seen @ weights)), dtype=float)


def solve(
    tree: Tree,
    markers: Sequence[str],
    positions_m: ArrayLike,
    *,
    weights: Mapping[str, float] | None = None,
    goals: Sequence[CoordinateGoal] = (),
    prior_m: float | None = None,
    open_share: float = OPEN_SHARE,
    cold: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Solution:
    """Fit a model to markers (F, M, 3) m over time, NaN where a marker is missing.

    Markers that the model does not have are left out, and so are those whose weight is zero;
    ``weights`` are 1 where not given, their scale means nothing. ``prior_m`` is the error (m) that
    the markers are taken to have: coordinates are drawn to their defaults as far as such an error
    leaves them open, each in proportion to its range. When left out it is next to nothing, except
    for coordinates of which markers as wrong as this recording's say next to nothing: which leave
    them a standard error larger than ``open_share`` of their range. There it is the error that the
    markers show. ``cold`` takes every frame by itself, as for pictures; otherwise frames follow one
    another. Clamped coordinates stay in their range.

    Raises UserError where no marker is in the model, a goal names no coordinate, or a number is
    not finite.
    """
    positions_m = np.asarray(positions_m, dtype=float)
    used = [i for i, name in enumerate(markers) if name in tree.marker_index]
    given = dict(weights or {})
    used = [i for i in used if given.get(markers[i], 1.0) > 0]
    names = tuple(markers[i] for i in used)
    if not names:
        raise UserError(_no_overlap(tree, markers))
    marker_weights = np.array([given.get(name, 1.0) for name in names])
    if not np.all(np.isfinite(marker_weights)):
        raise UserError("marker weights must be finite numbers")
    everything = used == list(range(len(markers)))
    targets_m = np.ascontiguousarray(positions_m if everything else positions_m[:, used])
    frames = len(targets_m)
    order = _leaves_first(tree)
    assumed_m = FAINT_PRIOR_M if prior_m is None else prior_m
    problem = _problem(tree, order, names, marker_weights, goals, assumed_m)
    goal_values = np.empty((frames, len(goals)))
    for i, goal in enumerate(goals):
        goal_values[:, i] = np.asarray(goal.values, dtype=float)
    if not np.all(np.isfinite(goal_values)):
        bad = goals[int(np.flatnonzero(~np.isfinite(goal_values).all(axis=0))[0])]
        raise UserError(f"coordinate task {bad.coordinate}: its value is not a finite number")
    default = tree.default_coordinates[tree.free_index][order]
    z = np.empty((frames, len(order)))
    objective, steps = np.empty(frames), np.zeros(frames, dtype=np.int64)
    broad = problem._replace(prior_weight=_prior_weight(tree, max(assumed_m, BROAD_PRIOR_M))[order])
    restarts = _restarts(tree, order, problem, default)
    work = _Work(problem, broad, restarts, targets_m, goal_values, default, z, objective, steps)
    open_columns = np.zeros(len(order), dtype=np.bool_)
    if prior_m is None:
        unit_weight = _prior_weight(tree, 1.0)[order]
        assumed_m, open_columns = _fit_first(work, unit_weight, open_share, cold)
        problem = _with_prior(problem, open_columns, assumed_m, unit_weight)
        work = work._replace(problem=problem)
    _run(
        work,
        cold,
        prior_m is None,
        max(1, min(threads, frames // BLOCK_FRAMES)),
        progress or (lambda done, wanted: None),
    )
    q = np.empty((frames, len(tree.coordinates)))
    error_m = np.empty((frames, len(names)))
    scratch = make_scratch(problem)
    read_out(problem, targets_m, goal_values, z, q, error_m, scratch)
    if not cold:
        look_again(
            problem, restarts, targets_m, goal_values, z, objective, steps, q, error_m, scratch
        )
    opened = tuple(
        name for name, is_open in zip(np.array(tree.free)[order], open_columns) if is_open
    )
    return Solution(q, names, marker_weights, error_m, objective, steps, assumed_m, opened)


def _no_overlap(tree: Tree, markers: Sequence[str]) -> str:
    near = [
        f"'{name}' (nearest: '{match[0]}')"
        for name in markers
        if (match := difflib.get_close_matches(name, tree.marker_names, n=1))
    ]
    hint = f": {', '.join(near[:3])}" if near else f" {', '.join(tree.marker_names[:5])}, ..."
    return f"none of the {len(markers)} markers is in the model {tree.name}, which has{hint}"


class _Work(NamedTuple):
    """A recording while it is fitted; columns leaves first."""

    problem: Problem
    broad: Problem
    restarts: Restarts
    targets_m: Array
    goal_values: Array
    default: Array
    z: Array
    objective: Array
    steps: Ints


def _track(
    work: _Work, begin: int, end: int, fresh: bool, cold: bool, until_met: bool, scratch: Scratch
) -> int:
    return int(
        track(
            work.problem, work.broad, work.restarts, work.targets_m, work.goal_values,
            work.default, begin, end, fresh, cold, until_met, work.z, work.objective, work.steps,
            scratch,
        )
    )  # fmt: skip


def _fit_first(
    work: _Work, unit_weight: Array, open_share: float, cold: bool
) -> tuple[float, Bools]:
    """Fit the first frame; from it and some after it, the error of the markers (m, one axis) and
    which columns (k,) it leaves open.

    The error is the root mean square of what the fit leaves (the median frame's), so that it is
    rather too small than too large. ``unit_weight`` (k,) is the prior's weight for an error of 1 m.
    """
    scratch = make_scratch(work.problem)
    every_marker = np.ones(work.targets_m.shape[1], dtype=np.bool_)
    every_column = np.ones(len(work.default), dtype=np.bool_)
    nothing_open = np.zeros(len(work.default), dtype=np.bool_)
    seen: Bools = np.all(np.isfinite(work.targets_m), axis=2)
    lit = np.flatnonzero(np.any(seen, axis=1))
    work.z[0] = work.default
    if not len(lit):
        return FAINT_PRIOR_M, nothing_open
    first = int(lit[0])
    sample = lit[lit < first + ERROR_FRAMES]

    def improve(problem: Problem, frame: int, z: Array) -> float:
        """Fit a frame from z (k,), in place; returns the error of its markers, m."""
        target, goals = work.targets_m[frame], work.goal_values[frame]
        solve_frame(problem, target, every_marker, goals, every_column, z, 0.0, scratch)
        seen = weigh(problem, target, every_marker, scratch)
        return float(np.sqrt(evaluate(problem, z, target, goals, seen, scratch)[1] / 3))

    # Where a plain fit from the default already meets the markers, the search from afar need not
    # follow their noise into what they leave open.
    variance = _variance(work, first, scratch)
    # Such an error (m) would leave a column open.
    opening_m = np.full(len(variance), np.inf)
    known = unit_weight > BASE_PRIOR
    opening_m[known] = open_share * RANGE_PER_DEVIATION / np.sqrt((variance * unit_weight)[known])
    z = work.default.copy()
    improve(work.broad, first, z)
    error_m = improve(work.problem, first, z)
    problem = work.problem
    if error_m < GOOD_M:
        problem = _with_prior(problem, opening_m < error_m, error_m, unit_weight)
    begun = work._replace(problem=problem)
    _track(begun, first, int(sample[-1]) + 1, True, cold, False, scratch)
    work.z[0] = work.z[first]  # frames before the first one with markers repeat it
    fitted = work.z[sample]
    for _ in range(ERROR_PASSES):
        before_m = error_m
        error_m = float(np.median([improve(problem, t, row) for t, row in zip(sample, fitted)]))
        is_open: Bools = opening_m < error_m
        if error_m <= FAINT_PRIOR_M or not is_open.any():
            return FAINT_PRIOR_M, nothing_open
        if abs(error_m - before_m) < SAME_ERROR * error_m:
            break
        problem = _with_prior(work.problem, is_open, error_m, unit_weight)
    return error_m, is_open


def _with_prior(problem: Problem, is_open: Bools, error_m: float, unit_weight: Array) -> Problem:
    """The problem with the prior for markers of ``error_m`` on the open columns."""
    strong = np.where(is_open, error_m**2 * unit_weight, 0.0)
    return problem._replace(prior_weight=np.maximum(problem.prior_weight, strong))


def _variance(work: _Work, frame: int, scratch: Scratch) -> Array:
    """Variance of each column (k,) for markers of unit error, as a frame shows them.

    The least over some poses: an arm that hangs straight does not show its rotation, but the
    markers are such as would.
    """
    target, goals = work.targets_m[frame], work.goal_values[frame]
    seen = weigh(work.problem, target, np.ones(len(target), dtype=np.bool_), scratch)
    least = np.full(len(work.default), np.inf)
    for pose in work.restarts.starts[:ERROR_POSES]:
        evaluate(work.problem, pose, target, goals, seen, scratch)
        differentiate(work.problem, pose, target, goals, seen, False, scratch)
        least = np.minimum(least, spread(scratch))
    return least / max(seen, 1)


def _run(work: _Work, cold: bool, begun: bool, threads: int, progress: Progress) -> None:
    """Fit all frames, in as many stretches as there are threads; ``begun`` where z holds the first
    frame nearly right."""
    frames = len(work.targets_m)
    bounds = [frames * i // threads for i in range(threads + 1)]
    done = [0] * threads

    def stretch(index: int, fresh: bool, until_met: bool) -> None:
        scratch = make_scratch(work.problem)
        begin, end = bounds[index], bounds[index + 1]
        while begin < end:
            stop = min(begin + BLOCK_FRAMES, end)
            reached = _track(work, begin, stop, fresh, cold, until_met, scratch)
            if until_met and reached < stop:
                return
            begin, fresh = stop, False
            done[index] = stop - bounds[index]
            if index == 0:
                progress(sum(done), frames)

    progress(0, frames)
    if threads == 1:
        stretch(0, not begun, False)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda i: stretch(i, i > 0 or not begun, False), range(threads)))
    if not cold:
        # A stretch that began on another branch than its predecessor ended on is fitted again.
        for index in range(1, threads):
            stretch(index, False, True)
    progress(frames, frames)


# -- the problem as arrays ------------------------------------------------------------------------


def _entries(tree: Tree, order: Ints) -> tuple[Ints, Ints, Array]:
    """On which columns each quantity depends, and by what slopes: 0 where the program tells."""
    column_of = np.empty(len(order), dtype=np.int64)
    column_of[order] = np.arange(len(order))
    rows, found = np.nonzero(tree.depends)
    slopes = np.zeros(tree.depends.shape)
    slopes[: len(tree.coordinates)] = tree.coupling
    start = np.searchsorted(rows, np.arange(len(tree.quantities) + 1))
    return start.astype(np.int64), column_of[found], slopes[rows, found]


def _terms(tree: Tree, start: Ints, columns: Ints) -> tuple[Ints, Ints, Ints]:
    """The terms of the slopes of the program's quantities: entry, source, the source's entry."""
    program, terms = tree.program, []
    for step, target in enumerate(program.target.tolist()):
        own = {int(columns[e]): e for e in range(start[target], start[target + 1])}
        for source in range(program.source_start[step], program.source_start[step + 1]):
            i = program.source[source]
            terms += [(own[int(columns[e])], source, e) for e in range(start[i], start[i + 1])]
    entry, source, origin = np.array(terms, dtype=np.int64).reshape(-1, 3).T
    return entry.copy(), source.copy(), origin.copy()


def _tied_motions(
    ties: Ties, ancestors: list[list[int]], of_body: Mapping[int, Sequence[int]]
) -> tuple[Ints, Ints, Array]:
    """The motions that change each tie: those that move one of its bodies and not the other."""
    start, motions, signs = [0], [], []
    for a, b in zip(ties.body_a.tolist(), ties.body_b.tolist()):
        moving = [set(ancestors[body]) if body != GROUND else set() for body in (a, b)]
        for sign, bodies in ((-1.0, moving[0] - moving[1]), (1.0, moving[1] - moving[0])):
            for body in sorted(bodies):
                motions += of_body.get(body, [])
                signs += [sign] * len(of_body.get(body, []))
        start.append(len(motions))
    return np.array(start, np.int64), np.array(motions, np.int64), np.array(signs, float)


def _leaves_first(tree: Tree) -> Ints:
    """Order of the free coordinates in which those that move less of the body come first."""
    root_most = np.full(len(tree.free), len(tree.bodies))
    for body, column in _moves(tree):
        root_most[column] = min(root_most[column], body)
    return np.argsort(-root_most, kind="stable")


def _moves(tree: Tree) -> list[tuple[int, int]]:
    """Which free coordinate moves which body directly, as pairs (body, index in ``free``)."""
    chain = tree.chain
    pairs = []
    for body in range(len(tree.bodies)):
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            i = int(chain.axis_coordinate[axis])
            if i >= 0:
                pairs += [(body, int(k)) for k in np.flatnonzero(tree.depends[i])]
    return pairs


def _ancestors(tree: Tree) -> list[list[int]]:
    """For each body, itself and all bodies it hangs on."""
    chains: list[list[int]] = []
    for body, parent in enumerate(tree.chain.parent):
        chains.append([body] if parent == GROUND else [*chains[parent], body])
    return chains


def _problem(
    tree: Tree,
    order: Ints,
    names: Sequence[str],
    marker_weights: Array,
    goals: Sequence[CoordinateGoal],
    prior_m: float,
) -> Problem:
    chosen = [tree.marker_index[name] for name in names]
    start, columns, slopes = _entries(tree, order)
    term_entry, term_source, term_from = _terms(tree, start, columns)
    parts: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for body in range(len(tree.bodies)):
        for axis in range(tree.chain.axis_start[body], tree.chain.axis_start[body + 1]):
            i = int(tree.chain.axis_coordinate[axis])
            if i >= 0:
                for entry in range(start[i], start[i + 1]):
                    parts.setdefault((body, int(columns[entry])), []).append((axis, entry))
    motions = list(parts)
    of_body: dict[int, list[int]] = {}
    above = []
    ancestors = _ancestors(tree)
    for motion, (body, _) in enumerate(motions):
        of_body.setdefault(body, []).append(motion)
        above.append([m for b in ancestors[body] for m in of_body.get(b, [])])
    lower, upper = _bounds(tree)
    center = tree.default_coordinates[tree.free_index]
    ties = as_arrays(tree.ties, tree.body_index, tree.quantity_index)
    tied_start, tied_motion, tied_sign = _tied_motions(ties, ancestors, of_body)
    for goal in goals:
        if goal.coordinate not in tree.coordinate_index:
            near = difflib.get_close_matches(goal.coordinate, tree.coordinates, n=1, cutoff=0.0)
            raise UserError(
                f"coordinate task '{goal.coordinate}': not in the model {tree.name}"
                + (f", did you mean '{near[0]}'?" if near else "")
            )
    return Problem(
        chain=tree.chain,
        marker_body=tree.marker_body[chosen],
        marker_offset_m=tree.marker_offset_m[chosen],
        marker_weight=marker_weights,
        entry_start=start,
        entry_column=columns,
        entry_slope=slopes,
        offset=np.concatenate(
            [tree.offset, np.zeros(len(tree.quantities) - len(tree.coordinates))]
        ),
        program=tree.program,
        term_entry=term_entry,
        term_source=term_source,
        term_from=term_from,
        motion_body=np.array([body for body, _ in motions], dtype=np.int64),
        motion_column=np.array([column for _, column in motions], dtype=np.int64),
        part_start=np.cumsum([0, *(len(parts[m]) for m in motions)], dtype=np.int64),
        part_axis=np.array([a for m in motions for a, _ in parts[m]], dtype=np.int64),
        part_entry=np.array([e for m in motions for _, e in parts[m]], dtype=np.int64),
        above_start=np.cumsum([0, *map(len, above)], dtype=np.int64),
        above=np.array([m for row in above for m in row], dtype=np.int64),
        ties=ties,
        tied_start=tied_start,
        tied_motion=tied_motion,
        tied_sign=tied_sign,
        lower=lower[order],
        upper=upper[order],
        prior_center=center[order],
        prior_weight=_prior_weight(tree, prior_m)[order],
        task_coordinate=np.array(
            [tree.coordinate_index[goal.coordinate] for goal in goals], dtype=np.int64
        ),
        task_weight=np.array([goal.weight for goal in goals], dtype=float),
    )


def _bounds(tree: Tree) -> tuple[Array, Array]:
    """Bounds of the free coordinates (k,), (k,): their own and those of what they alone drive."""
    free = tree.free_index
    lower = np.where(tree.clamped[free], tree.lower[free], -np.inf)
    upper = np.where(tree.clamped[free], tree.upper[free], np.inf)
    curve_of = {
        tree.quantity_index[step.target]: (step.function, tree.free.index(step.sources[0]))
        for step in tree.steps
        if step.function is not None and step.sources[0] in tree.free
    }
    for i in np.flatnonzero(tree.clamped).tolist():
        drivers = np.flatnonzero(tree.coupling[i])
        span = np.array([tree.lower[i], tree.upper[i]])
        if i in curve_of:
            function, k = curve_of[i]
            ends = _span_of_driver(function, span, tree.default_coordinates[free[k]])
        elif len(drivers) == 1 and free[drivers[0]] != i:
            k = int(drivers[0])
            ends = np.sort((span - tree.offset[i]) / tree.coupling[i, k])
        else:
            continue
        # A range that leaves its driver no room says nothing: OpenSim could not hold it either.
        if max(lower[k], ends[0]) <= min(upper[k], ends[1]):
            lower[k], upper[k] = max(lower[k], ends[0]), min(upper[k], ends[1])
    return lower, upper


def _span_of_driver(function: Piecewise, span: Array, default: float) -> Array:
    """How far a driver may go (2,), both ways from its default, while what it drives by a curve
    stays within ``span`` (2,); all the way where the default itself does not."""
    ends = np.concatenate([function.reaches(end) for end in span])
    if not span[0] <= function(default) <= span[1]:
        return np.array([-np.inf, np.inf])
    below, above = ends[ends <= default], ends[ends >= default]
    return np.array([below.max(initial=-np.inf), above.min(initial=np.inf)])


def _sensible_range(tree: Tree) -> Array:
    """Range (k,) of each free coordinate, NaN where it is a length or no range of a joint."""
    width = (tree.upper - tree.lower)[tree.free_index]
    sensible = tree.rotational[tree.free_index] & (width > 0) & (width <= 2 * np.pi + 1e-6)
    return np.where(sensible, width, np.nan)


def _base_columns(tree: Tree) -> Bools:
    """Free coordinates (k,) of joints that carry the model freely through the world."""
    base = np.zeros(len(tree.free), dtype=np.bool_)
    moves = _moves(tree)
    slides = ~tree.rotational[tree.free_index]
    for body in np.flatnonzero(tree.chain.parent == GROUND):
        columns = [k for b, k in moves if b == body]
        if slides[columns].any():
            base[columns] = True
    return base


def _prior_weight(tree: Tree, prior_m: float) -> Array:
    deviation = _sensible_range(tree) / RANGE_PER_DEVIATION
    deviation = np.where(np.isnan(deviation), UNKNOWN_DEVIATION, deviation)
    return np.where(_base_columns(tree), BASE_PRIOR, (prior_m / deviation) ** 2)


# -- restarts -------------------------------------------------------------------------------------


def _restarts(tree: Tree, order: Ints, problem: Problem, default: Array) -> Restarts:
    """Starting points spread over the ranges, and the limbs that may be begun anew."""
    ancestors = _ancestors(tree)
    carries = np.zeros((len(tree.bodies), len(problem.marker_body)), dtype=np.bool_)
    for marker, body in enumerate(problem.marker_body):
        if body >= 0:
            carries[ancestors[body], marker] = True
    column_of = np.empty(len(order), dtype=np.int64)
    column_of[order] = np.arange(len(order))
    moved_at: dict[int, list[int]] = {}
    for body, k in _moves(tree):
        moved_at.setdefault(int(column_of[k]), []).append(body)
    base = np.zeros(len(order), dtype=np.bool_)
    base[column_of[np.flatnonzero(_base_columns(tree))]] = True
    everything = problem.marker_body >= 0
    limbs = [(base, everything)]
    if not base.any():  # an arm on a wall: all of it is one limb, besides those that it branches to
        limbs.append((np.ones(len(order), dtype=np.bool_), everything))
    for root in _limb_roots(tree, carries):
        columns = np.zeros(len(order), dtype=np.bool_)
        for column, bodies in moved_at.items():
            columns[column] = not base[column] and all(root in ancestors[b] for b in bodies)
        if columns.any():
            limbs.append((columns, carries[root]))
    pure, unbounded = _pure_angles(problem), np.isinf(problem.lower) & np.isinf(problem.upper)
    turns = tree.rotational[tree.free_index[order]]
    return Restarts(
        starts=_spread(problem, tree, order, default),
        limb_columns=np.array([columns for columns, _ in limbs]),
        limb_markers=np.array([markers for _, markers in limbs]),
        round_columns=pure & unbounded,
        gliding_columns=turns & unbounded & ~pure,
        twin_columns=_twins(problem),
    )


def _pure_angles(problem: Problem) -> Bools:
    """Columns (k,) that do nothing but turn one axis one to one."""
    chain = problem.chain
    parts = np.zeros(len(problem.lower), dtype=np.int64)
    pure = np.ones(len(problem.lower), dtype=np.bool_)
    for motion, column in enumerate(problem.motion_column):
        for part in range(problem.part_start[motion], problem.part_start[motion + 1]):
            axis, entry = problem.part_axis[part], problem.part_entry[part]
            parts[column] += 1
            first, last = chain.piece_start[axis], chain.piece_start[axis + 1]
            slopes = chain.piece_coefficient[first]
            straight = last - first == 1 and not np.any(slopes[2:]) and slopes[1] == 1.0
            at_zero = slopes[0] == 0.0 and chain.piece_knot[first] == 0.0
            one_to_one = straight and at_zero and problem.entry_slope[entry] == 1.0
            pure[column] &= bool(chain.axis_is_rotation[axis]) and one_to_one
    return pure & (parts == 1)


def _twins(problem: Problem) -> Ints:
    """Columns (T, 3) of the joints that turn about three axes at right angles, in their order."""
    pure, chain = _pure_angles(problem), problem.chain
    column_of_axis = dict(
        zip(problem.part_axis[problem.part_start[:-1]].tolist(), problem.motion_column.tolist())
    )
    found = []
    for body in range(len(chain.parent)):
        axes = [
            axis
            for axis in range(chain.axis_start[body], chain.axis_start[body + 1])
            if chain.axis_is_rotation[axis]
        ]
        columns = [column_of_axis.get(axis, -1) for axis in axes]
        if len(axes) == 3 and min(columns) >= 0 and pure[columns].all():
            directions = chain.axis_direction[axes]
            if np.allclose(directions @ directions.T, np.eye(3), atol=1e-9):
                found.append(columns)
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def _limb_roots(tree: Tree, carries: Bools) -> list[int]:
    """Bodies at which a limb begins: where the model branches between bodies that carry markers."""
    parent = tree.chain.parent
    roots = []
    for body in range(len(tree.bodies)):
        if parent[body] == GROUND or not carries[body].any():
            continue
        twins = [b for b in np.flatnonzero(parent == parent[body]) if carries[b].any()]
        if len(twins) > 1:
            roots.append(body)
    return roots


def _spread(problem: Problem, tree: Tree, order: Ints, default: Array) -> Array:
    """Starting points (S, k): the default, and others that fill the ranges (Kronecker sequence)."""
    free = tree.free_index[order]
    turns = tree.rotational[free]
    lower = np.where(np.isfinite(problem.lower), problem.lower, -np.pi)
    upper = np.where(np.isfinite(problem.upper), problem.upper, np.pi)
    known = _sensible_range(tree)[order]
    lower = np.where(~np.isnan(known), np.maximum(lower, tree.lower[free]), lower)
    upper = np.where(~np.isnan(known), np.minimum(upper, tree.upper[free]), upper)
    roots = np.sqrt(_primes(len(order)))
    share = (0.5 + np.arange(1, STARTS + 1)[:, None] * (roots % 1.0)) % 1.0
    spread = lower + share * (upper - lower)
    spread[0] = default
    return np.ascontiguousarray(np.where(turns, spread, default))


def _primes(count: int) -> Array:
    numbers: list[int] = []
    candidate = 2
    while len(numbers) < count:
        if all(candidate % p for p in numbers):
            numbers.append(candidate)
        candidate += 1
    return np.array(numbers, dtype=float)
