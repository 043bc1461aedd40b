"""Inverse kinematics: the coordinates at which a model's markers lie where markers were measured.

The objective is the one of OpenSim's InverseKinematicsTool, plus a prior so weak that it decides
only what the markers leave open. How it is minimised: `least_squares`, `tracking`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.constraints import Ties, as_arrays
from spinetrack_synth.anatomy.continuity import Leap, draw_through
from spinetrack_synth.anatomy.functions import Piecewise
from spinetrack_synth.anatomy.least_squares import (
    Problem,
    Scratch,
    differentiate,
    evaluate,
    make_scratch,
    spread,
    weigh,
)
from spinetrack_synth.anatomy.model import GROUND, Tree
from spinetrack_synth.anatomy.second_look import fill_dark_frames, look_again
from spinetrack_synth.anatomy.tracking import Restarts, read_out, track
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

OPEN_POSES: Final = 5
"""Poses in which it is asked what markers show: the default and some that fill the ranges."""

BROAD_PRIOR_M: Final = 0.02
"""Marker error assumed while a frame is searched from afar: it keeps joints from their limits."""

RANGE_PER_DEVIATION: Final = 4.0
"""The prior takes a coordinate's range for four standard deviations: 95% lie within it."""

UNKNOWN_DEVIATION: Final = 0.5
"""Standard deviation (rad, m) of the prior where a model gives no sensible range."""

BASE_PRIOR: Final = 1e-14
"""Prior weight of where a body as a whole stands in the world: nothing is known of it."""

BEYOND: Final = 0.5
"""How far an unclamped coordinate may leave the range in which its curves are known, as a share of
it: OpenSim's fits do so by a few degrees, whereas a circle on the curves are made up."""

AT_RIGHT_ANGLES: Final = 1e-6

A_LITTLE: Final = 1e-3
ON_AXIS: Final = 1e-6
"""A step (rad, m), and what share of it moves a marker: less is none."""

STARTS: Final = 32
BLOCK_FRAMES: Final = 256
"""Frames between two calls of ``progress``."""


@dataclass(frozen=True)
class CoordinateGoal:
    """A coordinate that shall be near ``values``: a number, or one a frame (F,); rad or m."""

    coordinate: str
    weight: float
    values: ArrayLike


class CoordinateLeap(NamedTuple):
    """From ``frame`` to the next one a coordinate changes by ``change_rad`` though the bones that
    it moves turn by ``turn_rad`` only."""

    coordinate: str
    frame: int
    change_rad: float
    turn_rad: float


@dataclass(frozen=True)
class Solution:
    """Coordinates over F frames and how well P markers are met.

    ``coordinates`` (F, n), rad and m; ``markers`` (P,) the names of those that were fitted;
    ``weights`` (P,); ``marker_error_m`` (F, P) distance between the model's marker and the
    measured one, NaN where missing; ``objective`` (F,) m^2, NaN where a frame has no marker and
    repeats its predecessor; ``steps`` (F,) Gauss-Newton steps. ``open_coordinates`` are those of
    which markers as wrong as these say next to nothing, where no prior was asked for; ``leaps``
    what could not be made to go on; ``violations`` by how much (rad, m) constraints are violated at
    most, in OpenSim's solutions.
    """

    coordinates: Array
    markers: tuple[str, ...]
    weights: Array
    marker_error_m: Array
    objective: Array
    steps: Ints
    open_coordinates: tuple[str, ...] = ()
    leaps: tuple[CoordinateLeap, ...] = ()
    violations: Mapping[str, float] = field(default_factory=dict)

    @property
    def frame_rms_m(self) -> Array:
        """Root mean square of the marker errors of each frame, (F,), NaN without markers."""
        return _root_mean(self.marker_error_m, np.ones(len(self.weights)))

    @property
    def frame_weighted_rms_m(self) -> Array:
        """The same, by the weights: what is minimised, (F,)."""
        return _root_mean(self.marker_error_m, self.weights)

    @property
    def axis_error_m(self) -> float:
        """Error of the markers on one axis, as the median frame shows it: rather too small, since
        the fit follows some of it; 0 without any marker."""
        seen = np.isfinite(self.frame_rms_m)
        return float(np.median(self.frame_rms_m[seen]) / np.sqrt(3)) if seen.any() else 0.0

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
    prior_share: float = 0.0,
    cold: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Solution:
    """Fit a model to markers (F, M, 3) m over time, NaN where a marker is missing.

    Markers that the model does not have are left out, and so are those whose weight is zero;
    ``weights`` are 1 where not given, their scale means nothing. ``prior_m`` is the error (m) that
    the markers are taken to have: coordinates are drawn to their defaults as far as such an error
    leaves them open, each in proportion to its range. When left out it is next to nothing and
    decides only what the markers leave open altogether. ``prior_share`` keeps it to coordinates
    to which such markers leave a standard error larger than that share of their range. ``cold``
    takes every frame by itself, as for pictures; otherwise frames follow one another. Clamped
    coordinates stay in their range, unclamped ones near where the curves that they drive are known.

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
    scratch, unit_weight = make_scratch(problem), _prior_weight(tree, 1.0)[order]
    broad = problem._replace(prior_weight=_prior_weight(tree, max(assumed_m, BROAD_PRIOR_M))[order])
    restarts = _restarts(tree, order, problem, default)
    work = _Work(problem, broad, restarts, targets_m, goal_values, default, z, objective, steps)
    if prior_share > 0:
        faint = _prior_weight(tree, FAINT_PRIOR_M)[order]
        bare = work._replace(problem=problem._replace(prior_weight=faint))
        drawn = _open_share(bare, unit_weight, assumed_m, scratch) > prior_share
        problem = problem._replace(prior_weight=np.where(drawn, problem.prior_weight, faint))
        work = work._replace(problem=problem)
    _run(
        work,
        cold,
        max(1, min(threads, frames // BLOCK_FRAMES)),
        progress or (lambda done, wanted: None),
    )
    q = np.empty((frames, len(tree.coordinates)))
    error_m = np.empty((frames, len(names)))
    read_out(problem, targets_m, goal_values, z, q, error_m, scratch)
    leaps: tuple[Leap, ...] = ()
    if not cold:
        look_again(
            problem, restarts, targets_m, goal_values, z, objective, steps, q, error_m, scratch
        )
        leaps = draw_through(
            problem, restarts, targets_m, goal_values, z, objective, steps, q, error_m, scratch
        )
        fill_dark_frames(z, q, objective)
    free = [tree.free[k] for k in order]
    told = tuple(CoordinateLeap(free[k], t, change, turn) for t, k, change, turn in leaps)
    found = Solution(q, names, marker_weights, error_m, objective, steps, leaps=told)
    if prior_m is not None:
        return found
    is_open = _open_share(work, unit_weight, found.axis_error_m, scratch) > OPEN_SHARE
    return replace(found, open_coordinates=tuple(n for n, is_one in zip(free, is_open) if is_one))


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


def _open_share(work: _Work, unit_weight: Array, error_m: float, scratch: Scratch) -> Array:
    """The standard error that markers wrong by ``error_m`` on an axis leave to each column (k,), as
    a share of its range.

    The least over some poses: an arm that hangs straight does not show its rotation, but the
    markers are such as would. ``unit_weight`` (k,) is the prior's weight for an error of 1 m.
    """
    seen: Bools = np.all(np.isfinite(work.targets_m), axis=2)
    best = int(np.argmax(seen.sum(axis=1)))  # the first frame that shows the most
    target, goals = work.targets_m[best], work.goal_values[best]
    count = weigh(work.problem, target, np.ones(len(target), dtype=np.bool_), scratch)
    variance = np.full(len(work.default), np.inf)
    for pose in work.restarts.starts[:OPEN_POSES]:
        evaluate(work.problem, pose, target, goals, count, scratch)
        differentiate(work.problem, pose, target, goals, count, False, scratch)
        variance = np.minimum(variance, spread(scratch))
    variance /= max(count, 1)
    known = (unit_weight > BASE_PRIOR) & (error_m > FAINT_PRIOR_M)
    share = error_m * np.sqrt(variance * unit_weight) / RANGE_PER_DEVIATION
    return np.where(known, share, 0.0)


def _run(work: _Work, cold: bool, threads: int, progress: Progress) -> None:
    """Fit all frames, in as many stretches as there are threads."""
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
            fresh = fresh and bool(np.isnan(work.objective[begin:stop]).all())
            begin = stop
            done[index] = stop - bounds[index]
            if index == 0:
                progress(sum(done), frames)

    progress(0, frames)
    if threads == 1:
        stretch(0, True, False)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda i: stretch(i, True, False), range(threads)))
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
    entry, from_source, from_entry = np.array(terms, dtype=np.int64).reshape(-1, 3).T
    return entry.copy(), from_source.copy(), from_entry.copy()


def _tied_motions(
    ties: Ties, ancestors: list[list[int]], of_body: Mapping[int, Sequence[int]]
) -> tuple[Ints, Ints, Array]:
    """The motions that change each tie: those that move one of its bodies and not the other."""
    start = [0]
    motions: list[int] = []
    signs: list[float] = []
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
    known = _known_span(tree)[free]
    lower = np.where(tree.clamped[free], tree.lower[free], known[:, 0])
    upper = np.where(tree.clamped[free], tree.upper[free], known[:, 1])
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


def _known_span(tree: Tree) -> Array:
    """Where the curves that a coordinate drives are known, and somewhat beyond (n, 2); infinite
    where it drives none.

    Known is a curve between its knots and over the coordinate's declared range. A turn further on
    it would be made up, and yet may fit the markers as well.
    """
    chain = tree.chain
    knots = [
        (tree.quantity_index[step.sources[0]], step.function.knots, step.function.coefficients)
        for step in tree.steps
        if step.function is not None
    ]
    for axis, i in enumerate(chain.axis_coordinate.tolist()):
        pieces = slice(chain.piece_start[axis], chain.piece_start[axis + 1])
        knots.append((i, chain.piece_knot[pieces], chain.piece_coefficient[pieces]))
    span = np.tile([np.inf, -np.inf], (len(tree.coordinates), 1))
    bent = np.zeros(len(span), dtype=np.bool_)
    for i, places, coefficients in knots:
        if not 0 <= i < len(span) or (len(places) == 1 and not np.any(coefficients[:, 2:])):
            continue
        bent[i] = True
        if len(places) > 1:
            span[i] = min(span[i, 0], places[0]), max(span[i, 1], places[-1])
    declared = np.stack([tree.lower, tree.upper], axis=1)
    width = tree.upper - tree.lower
    told = (width > 0) & (~tree.rotational | (width <= 2 * np.pi + 1e-6))
    span[told] = np.stack(
        [np.minimum(span, declared)[told, 0], np.maximum(span, declared)[told, 1]], axis=1
    )
    width = span[:, 1] - span[:, 0]
    room = BEYOND * width
    # No angle has two places a circle apart.
    room = np.where(tree.rotational, np.clip(np.pi - width / 2, 0.0, room), room)
    bent &= width > 0
    span += np.stack([-room, room], axis=1)
    return np.where(bent[:, None], span, [-np.inf, np.inf])


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
    twins, fold = _twins(problem)
    turns = tree.rotational[tree.free_index[order]]
    starts = _spread(problem, tree, order, default)
    return Restarts(
        starts=starts,
        limb_columns=np.array([columns for columns, _ in limbs]),
        limb_markers=np.array([markers for _, markers in limbs]),
        round_columns=pure & ~_has_task(problem),
        gliding_columns=turns & unbounded & ~pure,
        twin_columns=twins,
        twin_fold=fold,
        shown_by=_shown_by(problem, starts[1]),
        has_task=_has_task(problem),
    )


def _shown_by(problem: Problem, z: Array) -> Bools:
    """Which markers each column moves at z (k, P): not those that lie on its axis."""
    scratch = make_scratch(problem)
    goals = np.zeros(len(problem.task_coordinate))
    nowhere = np.zeros((len(problem.marker_body), 3))
    weigh(problem, nowhere, np.ones(len(nowhere), dtype=np.bool_), scratch)

    def placed_m(at: Array) -> Array:
        evaluate(problem, at, nowhere, goals, 1, scratch)
        return scratch.points.copy()

    here_m = placed_m(z)
    moved_m = [np.abs(placed_m(z + row) - here_m).max(axis=1) for row in A_LITTLE * np.eye(len(z))]
    return np.array(moved_m).reshape(len(z), -1) > ON_AXIS * A_LITTLE


def _lines(problem: Problem) -> tuple[Array, Array]:
    """Slope and intercept (k,), (k,) by which a column turns the one axis that is all it moves;
    slope 0 where it does anything else."""
    chain = problem.chain
    slope, intercept = np.zeros((2, len(problem.lower)))
    parts = np.zeros(len(problem.lower), dtype=np.int64)
    for motion, column in enumerate(problem.motion_column):
        for part in range(problem.part_start[motion], problem.part_start[motion + 1]):
            axis, entry = problem.part_axis[part], problem.part_entry[part]
            parts[column] += 1
            first, last = chain.piece_start[axis], chain.piece_start[axis + 1]
            row = chain.piece_coefficient[first]
            if chain.axis_is_rotation[axis] and last - first == 1 and not np.any(row[2:]):
                at_zero = problem.offset[chain.axis_coordinate[axis]] - chain.piece_knot[first]
                slope[column] = row[1] * problem.entry_slope[entry]
                intercept[column] = row[0] + row[1] * at_zero
    return np.where(parts == 1, slope, 0.0), intercept


def _pure_angles(problem: Problem) -> Bools:
    """Columns (k,) that do nothing but turn one axis one to one."""
    return np.abs(_lines(problem)[0]) == 1.0


def _has_task(problem: Problem) -> Bools:
    """Columns (k,) on which a coordinate task depends, so that no two angles are the same."""
    wanted = np.zeros(len(problem.lower), dtype=np.bool_)
    for i in problem.task_coordinate:
        wanted[problem.entry_column[problem.entry_start[i] : problem.entry_start[i + 1]]] = True
    return wanted


def _twins(problem: Problem) -> tuple[Ints, Array]:
    """Columns (T, 3) of the joints that turn about three axes, the second at right angles to the
    others, in their order, and the sum (T,) of the second angle and its twin.

    Half a turn more about the first and the third axis, R1(pi) R2(b) R3(pi), is R2(2 t - b) where t
    is the angle from the third axis to the first, about the second.
    """
    chain = problem.chain
    slope, intercept = _lines(problem)
    free = (np.abs(slope) == 1.0) & ~_has_task(problem)
    column_of_axis = dict(
        zip(problem.part_axis[problem.part_start[:-1]].tolist(), problem.motion_column.tolist())
    )
    found, fold = [], []
    for body in range(len(chain.parent)):
        axes = [
            axis
            for axis in range(chain.axis_start[body], chain.axis_start[body + 1])
            if chain.axis_is_rotation[axis]
        ]
        columns = [column_of_axis.get(axis, -1) for axis in axes]
        if len(axes) != 3 or min(columns) < 0 or not free[columns].all():
            continue
        one, two, three = chain.axis_direction[axes]
        if max(abs(one @ two), abs(two @ three)) < AT_RIGHT_ANGLES:
            between = np.arctan2(two @ np.cross(three, one), three @ one)
            k = columns[1]
            found.append(columns)
            fold.append(2 * slope[k] * (between - intercept[k]))
    return np.array(found, dtype=np.int64).reshape(-1, 3), np.array(fold, dtype=float)


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
