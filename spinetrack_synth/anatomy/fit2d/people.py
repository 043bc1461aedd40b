"""People fitted to their 2D points: many starts, the best kept, points that do not belong found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.fit2d.body import TORSO_UNIT_M, Body, flatten
from spinetrack_synth.anatomy.fit2d.limbs import Limb, bend_limb, make_limbs
from spinetrack_synth.anatomy.fit2d.solver import (
    MARKERS,
    Work,
    descend,
    own_residuals,
    place,
    prior_of,
    workspace,
)
from spinetrack_synth.anatomy.fit2d.starts import (
    Bank,
    begin,
    choose_starts,
    make_bank,
    mixed,
)
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import assign, by_reference, inner, njit

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Progress = Callable[[int, int], None]

FEWEST_POINTS: Final = 6
"""Fewer points say nothing about a body that can turn, move and grow as a whole."""

STARTS: Final = (1, 4, 2, 8)
"""Starts from a bank, by effort."""
DROPPING_EFFORT: Final = 2
MOST_EFFORT: Final = 3
MIXTURES: Final = 300
CHUNK: Final = 128

SOFT_FIRST, SOFT = 6.0, 3.0
"""Standard deviations from where on a point counts for less, at the first steps and afterwards."""

GOOD_COST: Final = 35.0
GOOD_COST_A_POINT: Final = 1.0
"""A fit that costs at most so much, for the posture and for each point, needs no further start:
nine of ten clean people (docs/validation-anatomy.md)."""

MUCH_BETTER: Final = 0.75
"""Where a fit was not good or left out points, the search ends when the cost falls to this part."""

SURPRISING: Final = 3.5
"""A point so many standard deviations from where the others predict it is left out of the fit."""
OUT_OF_REACH: Final = 0.015
"""Unless the body comes nearer to it than this part of the torso: a hand can go nearly anywhere."""
MOST_DROPPED: Final = 4


@by_reference
class FitModel(NamedTuple):
    """What is fitted, and where fits begin: made once, used by all threads.

    ``bank`` holds the postures it was made with, ``wide_bank`` mixtures of them for people whom
    none of those fits.
    """

    body: Body
    limbs: tuple[Limb, ...]
    bank: Bank
    wide_bank: Bank


def make_fit_model(tree: Tree, postures: Iterable[Array]) -> FitModel:
    """A fit model of the full-body model; fits begin at ``postures`` q (n,) and their mirrors.

    Raises ValueError for a model with other joints than turning ones between its bodies.
    """
    body = flatten(tree)
    postures = list(postures)
    return FitModel(
        body=body,
        limbs=make_limbs(tree, body),
        bank=make_bank(tree, body, postures),
        wide_bank=make_bank(tree, body, mixed(tree, postures, MIXTURES)),
    )


def good_cost(points: Ints) -> Array:
    """What a fit to so many points costs at most where nothing is wrong."""
    return np.asarray(GOOD_COST + GOOD_COST_A_POINT * points, dtype=np.float64)


@dataclass(frozen=True)
class Sightings:
    """N people as their labels show them, the 37 points in the skeleton's order.

    ``points_px`` (N, 37, 2), ``visible`` (N, 37); ``focal_px`` (N,), ``center_px`` (N, 2) the
    principal point; ``focal_known`` (N,) whether the focal length is given or a guess.
    """

    points_px: Array
    visible: Bools
    focal_px: Array
    center_px: Array
    focal_known: Bools

    def some(self, people: Ints | list[int]) -> Sightings:
        """Some of the people, by index."""
        return Sightings(
            self.points_px[people], self.visible[people], self.focal_px[people],
            self.center_px[people], self.focal_known[people],
        )  # fmt: skip


@by_reference
class Fits(NamedTuple):
    """N fitted people; nan where a person is not ``fitted`` (N,).

    ``columns`` (N, K) as ``body.column_names``, the root's turn left at 0; ``root`` (N, 3, 3)
    pelvis to camera. ``cost`` (N,) is the robust sum of squares in standard deviations, posture and
    proportions included, of all points; ``prior`` (N,) of posture and proportions alone.
    ``projected_px`` (N, 37, 2) is the fitted body in the picture; ``off_px`` (N, 37, 2) each point
    minus where the *others* predict it, ``surprise`` (N, 37) its length in standard deviations of
    that prediction; ``dropped`` (N, 37) the points left out because they surprise;
    ``residual_px`` (N, 37) from the body in the last fit that held the point. ``torso_px``
    (N,) is a torso's length at the person's distance, seen from the side; ``labelled`` (N,) the
    number of points.
    """

    fitted: Bools
    columns: Array
    root: Array
    cost: Array
    prior: Array
    projected_px: Array
    off_px: Array
    surprise: Array
    dropped: Bools
    residual_px: Array
    torso_px: Array
    labelled: Ints

    def some(self, people: Ints) -> Fits:
        """The fits of some of the people, by index."""
        return Fits._make(column[people] for column in self)


def fit_people(
    model: FitModel,
    people: Sightings,
    *,
    noise: float = 0.01,
    torso_px: ArrayLike | None = None,
    effort: int = MOST_EFFORT,
    threads: int = 1,
    progress: Progress | None = None,
) -> Fits:
    """Fit the body to people; ``noise`` is the labels' standard deviation as a part of the torso.

    With ``torso_px`` (N,) given, costs are in standard deviations of torsos of that size, so that
    they can be compared. ``effort`` 0 tries one start, 1 and 2 a few, 3 all that are known; from 2
    on points that surprise are left out, at 2 limbs are not bent anew.
    ``progress`` is told how many people of how many are done. People with fewer than 6 points in
    reach, or all at one place, are not fitted.
    """
    seen, usable = seen_from_center(people)
    count = len(seen)
    sizes = np.full(count, np.nan) if torso_px is None else np.asarray(torso_px, dtype=float)
    fits = _nobody_fitted(len(model.body.mean), seen)
    cameras = (
        np.asarray(people.focal_px, dtype=float),
        np.asarray(people.center_px, dtype=float),
        np.asarray(people.focal_known, dtype=bool),
    )
    rows = np.flatnonzero(usable)
    chunks = [rows[k : k + CHUNK] for k in range(0, len(rows), CHUNK)]
    done = count - len(rows)

    def fit(chunk: Ints) -> int:
        work = workspace(model.body)
        entries = choose_starts(model.bank, seen[chunk], STARTS[effort])
        _fit_chunk(
            model, model.bank, chunk, seen, entries, cameras, sizes, noise, effort, work, fits
        )
        poor = ~(fits.cost[chunk] < good_cost(fits.labelled[chunk]))
        hard = chunk[poor | fits.dropped[chunk].any(axis=1)]
        if effort == MOST_EFFORT and len(hard):
            entries = choose_starts(model.wide_bank, seen[hard], STARTS[effort])
            _fit_chunk(
                model, model.wide_bank, hard, seen, entries, cameras,
                np.where(np.isnan(sizes), fits.torso_px, sizes), noise, effort, work, fits,
            )  # fmt: skip
        return len(chunk)

    with ThreadPoolExecutor(threads) as pool:
        for fitted in pool.map(fit, chunks):
            done += fitted
            if progress is not None:
                progress(done, count)
    return fits


def _nobody_fitted(columns: int, seen: Array) -> Fits:
    count = len(seen)
    return Fits(
        fitted=np.zeros(count, dtype=bool),
        columns=np.full((count, columns), np.nan),
        root=np.full((count, 3, 3), np.nan),
        cost=np.full(count, np.nan),
        prior=np.full(count, np.nan),
        projected_px=np.full((count, MARKERS, 2), np.nan),
        off_px=np.full((count, MARKERS, 2), np.nan),
        surprise=np.full((count, MARKERS), np.nan),
        dropped=np.zeros((count, MARKERS), dtype=bool),
        residual_px=np.full((count, MARKERS), np.nan),
        torso_px=np.full(count, np.nan),
        labelled=(seen[:, :, 2] > 0).sum(axis=1),
    )


def seen_from_center(people: Sightings) -> tuple[Array, Bools]:
    """Points (N, 37, 3) from the principal point with 1 where seen, and who (N,) can be fitted."""
    points = np.asarray(people.points_px, dtype=float)
    focal, center = people.focal_px, people.center_px
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        camera = np.isfinite(focal) & (focal > 0) & np.isfinite(center).all(axis=1)
        offset = (points - center[:, None]) / focal[:, None, None]
        good = people.visible & (np.abs(offset) < 1e3).all(axis=2)
        seen = np.zeros((*points.shape[:2], 3))
        seen[:, :, 2] = good
        seen[:, :, :2] = np.where(good[:, :, None], points - center[:, None], 0.0)
        low = np.where(good[:, :, None], seen[:, :, :2], np.inf).min(axis=1)
        high = np.where(good[:, :, None], seen[:, :, :2], -np.inf).max(axis=1)
        extent = np.linalg.norm(high - low, axis=1)
    usable = camera & (good.sum(axis=1) >= FEWEST_POINTS) & (extent > 1e-6 * focal)
    return seen, usable


# In one piece: a person's fit goes through its stages with a dozen numbers and buffers at hand.
@njit()
def _fit_chunk(
    model: FitModel,
    bank: Bank,
    chunk: Ints,
    seen_all: Array,
    entries: Ints,
    cameras: tuple[Array, Array, Bools],
    sizes: Array,
    noise: float,
    effort: int,
    work: Work,
    fits: Fits,
) -> None:
    """Fit the people of a chunk from the bank's entries; one that is fitted already is replaced
    where the cost is lower."""
    body = model.body
    x, root = np.empty(len(body.mean)), np.empty((3, 3))
    best_x, best_root = np.empty(len(body.mean)), np.empty((3, 3))
    variance = np.empty(MARKERS)
    for row in range(len(chunk)):
        n = chunk[row]
        seen, focal, known = seen_all[n].copy(), cameras[0][n], cameras[2][n]
        good = GOOD_COST + GOOD_COST_A_POINT * fits.labelled[n]
        if not np.isnan(fits.cost[n]):
            good = min(good, MUCH_BETTER * fits.cost[n])
        best, unit = np.inf, 0.0
        for s in range(entries.shape[1]):
            entry = entries[row, s]
            if entry < 0:
                break
            scale = begin(body, bank, entry, seen, focal, x, root)
            if s == 0:
                unit = scale if np.isnan(sizes[n]) else sizes[n] / TORSO_UNIT_M
                point_variance(body, noise, unit, variance)
            cost = descend(body, x, root, focal, known, seen, variance, SOFT_FIRST, 7, 1e-2, work)
            if cost < 2.0 * best + 5.0 * fits.labelled[n]:
                cost = descend(body, x, root, focal, known, seen, variance, SOFT, 15, 2e-3, work)
                if cost < best:
                    best = cost
                    assign(best_x, x)
                    assign(best_root, root)
            if best < good:
                break
        for _ in range(0 if effort == DROPPING_EFFORT else 2):
            if best < good or effort == 0 or not np.isfinite(best):
                break
            before = best
            best = _bend_limbs(
                model, best_x, best_root, best, x, root, focal, known, seen, variance, work
            )
            if best > 0.9 * before:
                break
        if not np.isfinite(best):
            continue
        if np.isnan(sizes[n]):
            unit = focal * np.exp(best_x[body.focal] - best_x[body.root + 5])
            point_variance(body, noise, unit, variance)
        steps = 15 if effort > 0 else 3
        best = descend(
            body, best_x, best_root, focal, known, seen, variance, SOFT, steps, 1e-4, work
        )
        if not np.isfinite(best) or best >= fits.cost[n]:
            continue
        fits.cost[n] = best
        own_residuals(body, seen, variance, work, fits.off_px[n], fits.surprise[n])
        _lengths(seen, work, fits.residual_px[n])
        for _ in range(MOST_DROPPED if effort >= DROPPING_EFFORT else 0):
            beyond = OUT_OF_REACH * TORSO_UNIT_M * unit
            worst = _most_surprising(seen, fits.surprise[n], fits.residual_px[n], beyond)
            if worst < 0:
                break
            seen[worst, 2] = -1.0
            descend(body, best_x, best_root, focal, known, seen, variance, SOFT, 8, 1e-3, work)
            own_residuals(body, seen, variance, work, fits.off_px[n], fits.surprise[n])
            _lengths(seen, work, fits.residual_px[n])
        place(body, best_x, best_root, work, False)
        zoom = focal * np.exp(best_x[body.focal])
        for m in range(MARKERS):
            fits.dropped[n, m] = seen[m, 2] < 0
            for i in range(2):
                fits.projected_px[n, m, i] = (
                    zoom * work.points[m, i] / work.points[m, 2] + cameras[1][n, i]
                )
        assign(fits.columns[n], best_x)
        assign(fits.root[n], best_root)
        fits.prior[n] = prior_of(body, best_x)
        fits.torso_px[n] = TORSO_UNIT_M * zoom * np.exp(-best_x[body.root + 5])
        fits.fitted[n] = True


@inner()
def _most_surprising(seen: Array, surprise: Array, residual: Array, beyond: float) -> int:
    worst, most = -1, SURPRISING
    for m in range(MARKERS):
        if seen[m, 2] > 0 and surprise[m] > most and residual[m] > beyond:
            worst, most = m, surprise[m]
    return worst


@inner()
def _lengths(seen: Array, work: Work, lengths: Array) -> None:
    """Lengths (M,) of the residuals of the points that the fit held."""
    for m in range(MARKERS):
        if seen[m, 2] > 0:
            lengths[m] = np.hypot(work.residual[m, 0], work.residual[m, 1])


@inner()
def _bend_limbs(
    model: FitModel,
    best_x: Array,
    best_root: Array,
    best: float,
    x: Array,
    root: Array,
    focal: float,
    known: bool,
    seen: Array,
    variance: Array,
    work: Work,
) -> float:
    """Improve a fit in place by bending one limb after another anew; the cost reached."""
    body = model.body
    for limb in model.limbs:
        assign(x, best_x)
        assign(root, best_root)
        place(body, x, root, work, False)
        if not bend_limb(limb, body, x, focal, seen, variance, work):
            continue
        cost = descend(body, x, root, focal, known, seen, variance, SOFT_FIRST, 7, 1e-2, work)
        if cost < 2.0 * best:
            cost = descend(body, x, root, focal, known, seen, variance, SOFT, 12, 2e-3, work)
        if cost < best:
            best = cost
            assign(best_x, x)
            assign(best_root, root)
    return best


@inner()
def point_variance(body: Body, noise: float, unit: float, variance: Array) -> None:
    """Variance of each point's label about the body, px^2, at ``unit`` px per metre."""
    for m in range(MARKERS):
        variance[m] = unit * unit * ((noise * TORSO_UNIT_M) ** 2 + body.marker_variance[m])
