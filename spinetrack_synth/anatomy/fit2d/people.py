"""People fitted to their 2D points: many starts, the best kept, points that do not belong found."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.fit2d.body import TORSO_M, Body
from spinetrack_synth.anatomy.fit2d.solver import (
    MARKERS,
    Work,
    descend,
    own_residuals,
    place,
    prior_of,
    workspace,
)
from spinetrack_synth.anatomy.fit2d.starts import Bank, begin, choose_starts

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST_POINTS: Final = 6
"""Fewer points say nothing about a body with six degrees of freedom of its own."""

STARTS: Final = 8
CHUNK: Final = 128

SOFT_FIRST, SOFT = 6.0, 3.0
"""Standard deviations from where on a point counts for less, at the first steps and afterwards."""

GOOD_COST_A_POINT: Final = 1.6
"""A fit this good needs no further start."""

SURPRISING: Final = 4.5
MOST_DROPPED: Final = 4


@dataclass(frozen=True)
class Fits:
    """N fitted people, the 37 points in the skeleton's order; nan where a person is not fitted.

    ``fitted`` (N,); ``columns`` (N, K) as ``body.column_names``; ``root`` (N, 3, 3) pelvis to
    camera; ``cost`` (N,) robust sum of squares in standard deviations, posture and proportions
    included; ``prior`` (N,) the latter's part; ``projected_px`` (N, 37, 2) the fitted body in the
    picture; ``off_px`` (N, 37, 2) each point minus where the *others* predict it; ``surprise``
    (N, 37) its length in standard deviations of that prediction; ``dropped`` (N, 37) points left
    out of the fit because they surprise; ``torso_px`` (N,) a torso's length at the person's
    distance, seen from the side.
    """

    fitted: NDArray[np.bool_]
    columns: Array
    root: Array
    cost: Array
    prior: Array
    projected_px: Array
    off_px: Array
    surprise: Array
    dropped: NDArray[np.bool_]
    torso_px: Array


def fit_people(
    body: Body,
    bank: Bank,
    points: ArrayLike,
    visible: ArrayLike,
    focal_px: ArrayLike,
    center_px: ArrayLike,
    known: ArrayLike,
    *,
    noise: float = 0.01,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Fits:
    """Fit the body to points (N, 37, 2) px where ``visible`` (N, 37).

    ``focal_px`` (N,), ``center_px`` (N, 2) the principal point, ``known`` (N,) whether the focal
    length is given or a guess. ``noise`` is the labels' standard deviation as a part of the torso.
    ``progress`` is told how many of how many are done. People with fewer than 6 finite points, or
    all at one place, are not fitted.
    """
    points = np.array(points, dtype=float)
    focal_px = np.asarray(focal_px, dtype=float)
    center_px = np.asarray(center_px, dtype=float)
    seen, usable = _seen(points, np.asarray(visible, dtype=bool), focal_px, center_px)
    known = np.asarray(known, dtype=bool)
    count, width = len(points), len(body.mean)
    fits = Fits(
        fitted=np.zeros(count, dtype=bool),
        columns=np.full((count, width), np.nan),
        root=np.full((count, 3, 3), np.nan),
        cost=np.full(count, np.nan),
        prior=np.full(count, np.nan),
        projected_px=np.full((count, MARKERS, 2), np.nan),
        off_px=np.full((count, MARKERS, 2), np.nan),
        surprise=np.full((count, MARKERS), np.nan),
        dropped=np.zeros((count, MARKERS), dtype=bool),
        torso_px=np.full(count, np.nan),
    )
    people = np.flatnonzero(usable)
    chunks = [people[k : k + CHUNK] for k in range(0, len(people), CHUNK)]
    done = count - len(people)

    def fit(chunk: Ints) -> int:
        starts = choose_starts(bank, seen[chunk], STARTS)
        _fit_chunk(
            body, bank, chunk, seen, starts, focal_px, center_px, known, noise, workspace(body),
            fits.fitted, fits.columns, fits.root, fits.cost, fits.prior, fits.projected_px,
            fits.off_px, fits.surprise, fits.dropped, fits.torso_px,
        )  # fmt: skip
        return len(chunk)

    with ThreadPoolExecutor(threads) as pool:
        for fitted in pool.map(fit, chunks):
            done += fitted
            if progress is not None:
                progress(done, count)
    return fits


def _seen(
    points: Array, visible: NDArray[np.bool_], focal_px: Array, center_px: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Points (N, 37, 3) from the principal point with 1 where seen, and who (N,) can be fitted."""
    with np.errstate(over="ignore", invalid="ignore"):
        camera = np.isfinite(focal_px) & (focal_px > 0) & np.isfinite(center_px).all(axis=1)
        offset = (points - center_px[:, None]) / focal_px[:, None, None]
        good = visible & np.isfinite(offset).all(axis=2) & (np.abs(offset) < 1e3).all(axis=2)
        seen = np.zeros((*points.shape[:2], 3))
        seen[:, :, 2] = good
        seen[:, :, :2] = np.where(good[:, :, None], points - center_px[:, None], 0.0)
        low = np.where(good[:, :, None], seen[:, :, :2], np.inf).min(axis=1)
        high = np.where(good[:, :, None], seen[:, :, :2], -np.inf).max(axis=1)
        extent = np.linalg.norm(high - low, axis=1)
    usable = camera & (good.sum(axis=1) >= FEWEST_POINTS) & (extent > 1.0)
    return seen, usable


@njit(cache=True, nogil=True)
def _fit_chunk(
    body: Body, bank: Bank, chunk: Ints, seen_all: Array, starts: Ints, focals: Array,
    centers: Array, known_all: Array, noise: float, work: Work,
    fitted: Array, columns: Array, roots: Array, costs: Array, priors: Array, projected: Array,
    off: Array, surprise: Array, dropped: Array, torso: Array,
) -> None:  # fmt: skip
    size = len(body.mean)
    x, root = np.empty(size), np.empty((3, 3))
    best_x, best_root = np.empty(size), np.empty((3, 3))
    variance = np.empty(MARKERS)
    for row in range(len(chunk)):
        n = chunk[row]
        seen, focal, known = seen_all[n].copy(), focals[n], known_all[n]
        points = 0
        for m in range(MARKERS):
            points += seen[m, 2] > 0
        best, unit = np.inf, 0.0
        for s in range(starts.shape[1]):
            entry = starts[row, s]
            if entry < 0:
                break
            scale = begin(body, bank, entry, seen, focal, x, root)
            if s == 0:
                unit = scale
                _variance(body, noise, unit, variance)
            cost = descend(
                body, x, root, focal, known, seen, variance, SOFT_FIRST, 7, 1e-2, work
            )
            if cost > 2.0 * best + 5.0 * points:
                continue
            cost = descend(body, x, root, focal, known, seen, variance, SOFT, 15, 2e-3, work)
            if cost < best:
                best = cost
                best_x[:] = x
                best_root[:, :] = root
            if best < GOOD_COST_A_POINT * points:
                break
        if not np.isfinite(best):
            continue
        unit = focal * np.exp(best_x[body.focal] - best_x[body.root + 5])
        _variance(body, noise, unit, variance)
        best = descend(
            body, best_x, best_root, focal, known, seen, variance, SOFT, 15, 1e-4, work
        )
        if not np.isfinite(best):
            continue
        costs[n] = best
        own_residuals(body, seen, variance, work, off[n], surprise[n])
        x[:] = best_x
        root[:, :] = best_root
        for _ in range(MOST_DROPPED):
            worst = -1
            for m in range(MARKERS):
                if seen[m, 2] > 0 and surprise[n, m] > SURPRISING:
                    if worst < 0 or surprise[n, m] > surprise[n, worst]:
                        worst = m
            if worst < 0:
                break
            seen[worst, 2] = -1.0
            descend(body, x, root, focal, known, seen, variance, SOFT, 8, 1e-3, work)
            own_residuals(body, seen, variance, work, off[n], surprise[n])
        place(body, x, root, work, False)
        zoom = focal * np.exp(x[body.focal])
        for m in range(MARKERS):
            dropped[n, m] = seen[m, 2] < 0
            projected[n, m, 0] = zoom * work.points[m, 0] / work.points[m, 2] + centers[n, 0]
            projected[n, m, 1] = zoom * work.points[m, 1] / work.points[m, 2] + centers[n, 1]
        columns[n] = x
        roots[n] = root
        priors[n] = prior_of(body, x)
        torso[n] = TORSO_M * zoom * np.exp(-x[body.root + 5])
        fitted[n] = True


@njit(cache=True, nogil=True)
def _variance(body: Body, noise: float, unit: float, variance: Array) -> None:
    """Variance of each point's label about the body, px^2, at ``unit`` px per metre."""
    for m in range(MARKERS):
        variance[m] = unit * unit * ((noise * TORSO_M) ** 2 + body.marker_variance[m])
