"""Left and right exchanged: would the body fit better the other way round?"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.fit2d.body import TORSO_UNIT_M, Body
from spinetrack_synth.anatomy.fit2d.limbs import bend_limb
from spinetrack_synth.anatomy.fit2d.people import (
    CHUNK,
    SOFT,
    SOFT_FIRST,
    FitModel,
    Fits,
    Progress,
    Sightings,
    fit_people,
    point_variance,
    seen_from_center,
)
from spinetrack_synth.anatomy.fit2d.solver import MARKERS, Work, descend, place, workspace
from spinetrack_synth.anatomy.fit2d.starts import mirror_of
from spinetrack_synth.compiled import assign, inner, njit
from spinetrack_synth.skeleton import INDEX, MIRROR, NAMES

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_FOOT = ("big_toe", "small_toe", "heel")

SWAPS: Final[dict[str, tuple[str, ...]]] = {
    "face": ("eye", "ear"),
    "shoulders": ("shoulder",),
    "elbows": ("elbow",),
    "wrists": ("wrist",),
    "elbows and wrists": ("elbow", "wrist"),
    "arms": ("shoulder", "elbow", "wrist"),
    "hips": ("hip",),
    "knees": ("knee",),
    "ankles": ("ankle",),
    "feet": _FOOT,
    "ankles and feet": ("ankle", *_FOOT),
    "lower legs": ("knee", "ankle", *_FOOT),
    "knees and ankles": ("knee", "ankle"),
    "legs": ("hip", "knee", "ankle", *_FOOT),
    "shoulder girdle": ("latissimus", "clavicle"),
    "arms and legs": ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", *_FOOT),
    "everything": tuple(name.removeprefix("left_") for name in NAMES if name.startswith("left_")),
}
"""What can be exchanged as one, by the names of the paired keypoints."""

PROMISING: Final = 2
"""So many of the exchanges are fitted thoroughly, the best of a first quick try."""

HOPEFUL: Final = 1.4
"""Unless that try costs more than so many times what the people cost as they are."""

APART: Final = 0.08
"""Two points nearer than this part of the torso may be called either way."""


GLANCES: Final = ("arms", "elbows and wrists", "legs", "lower legs", "everything")
"""Exchanges that often fit no worse than people usually do: tried with everybody, from where the
fit as labelled ended."""

_FIRST_STEPS, _STEPS = 4, 10
_NOT_MUCH_WORSE = 1.5, 20.0
"""A glance goes on where its first steps cost at most so many times the fit, and so much more."""

_ORDERS: Final = np.arange(len(NAMES)) + np.zeros((len(SWAPS), 1), dtype=np.int64)
"""Which point (S, 37) takes each label in each exchange."""
for _row, _parts in enumerate(SWAPS.values()):
    for _part in _parts:
        for _side in ("left_", "right_"):
            _ORDERS[_row, INDEX[_side + _part]] = MIRROR[INDEX[_side + _part]]


class Glances(NamedTuple):
    """A first look at N people the other way round: by how much the cost falls with each of
    ``GLANCES``, ``gain`` (N, G); -inf where it would move no point or fits far worse."""

    gain: Array

    @property
    def of_limbs(self) -> Array:
        """The best gain (N,) by an exchange of limbs."""
        best: Array = self.gain[:, :-1].max(axis=1)
        return best

    @property
    def of_everything(self) -> Array:
        """The gain (N,) by the exchange of everything."""
        return self.gain[:, -1]


@dataclass(frozen=True)
class Swapped:
    """The best exchange for each of P people.

    ``swap`` (P,) index in ``SWAPS`` or -1 where none can be tried; ``gain`` (P,) how much lower the
    cost is with it (negative: higher); ``projected_px`` (P, 37, 2) the body fitted to the exchanged
    points.
    """

    swap: Ints
    gain: Array
    projected_px: Array


def exchanged(people: Sightings, swaps: ArrayLike) -> Sightings:
    """The people (P,) with left and right of ``SWAPS[swaps[p]]`` (P,) exchanged."""
    order = _ORDERS[np.asarray(swaps)]
    return replace(
        people,
        points_px=np.take_along_axis(people.points_px, order[:, :, None], axis=1),
        visible=np.take_along_axis(people.visible, order, axis=1),
    )


def try_swaps(
    model: FitModel,
    people: Sightings,
    fits: Fits,
    *,
    noise: float = 0.01,
    threads: int = 1,
) -> Swapped:
    """Refit people with every exchange that moves a point by more than 8 % of the torso."""

    def refit(rows: Ints, swaps: Ints, effort: int) -> Fits:
        return fit_people(
            model, exchanged(people.some(rows), swaps), noise=noise,
            torso_px=fits.torso_px[rows], effort=effort, threads=threads,
        )  # fmt: skip

    count = len(fits.fitted)
    rows, swaps = _exchanges(people, fits)
    quick = np.full((count, len(SWAPS)), np.inf)
    quick[rows, swaps] = refit(rows, swaps, 0).cost
    quick[np.isnan(quick)] = np.inf
    order = np.argsort(quick, axis=1, kind="stable")[:, :PROMISING]
    least = np.take_along_axis(quick, order, axis=1)
    rows, column = np.nonzero(least < HOPEFUL * fits.cost[:, None])
    swaps = order[rows, column]
    refits = refit(rows, swaps, 1)
    best = Swapped(
        np.full(count, -1), np.full(count, -np.inf), np.full_like(fits.projected_px, np.nan)
    )
    for k, (row, swap) in enumerate(zip(rows, swaps)):
        gain = fits.cost[row] - refits.cost[k]
        if refits.fitted[k] and gain > best.gain[row]:
            best.swap[row], best.gain[row] = swap, gain
            best.projected_px[row] = refits.projected_px[k]
    return best


def glance(
    model: FitModel,
    people: Sightings,
    fits: Fits,
    names: tuple[str, ...],
    *,
    swaps: tuple[str, ...] = GLANCES,
    noise: float = 0.01,
    threads: int = 1,
    progress: Progress | None = None,
) -> Glances:
    """Look at fitted people with each of ``swaps``: limbs bent anew, or the whole body mirrored
    in depth, and a few steps from there; ``names`` are those of the fits' columns."""
    seen, _ = seen_from_center(people)
    gain = np.full((len(seen), len(swaps)), -np.inf)
    orders = _ORDERS[[list(SWAPS).index(name) for name in swaps]]
    whole = np.array([name == "everything" for name in swaps])
    moved = np.array([[order[m] != m for m in range(MARKERS)] for order in orders])
    bent = np.array([[bool(row[limb.markers].any()) for limb in model.limbs] for row in moved])
    bent[whole] = False
    twin, sign = mirror_of(names)
    rows = np.flatnonzero(fits.fitted)

    def look(chunk: Ints) -> int:
        _glance_chunk(
            model, chunk, seen, people.focal_px, people.focal_known, fits, orders, bent, whole,
            twin, sign, noise, workspace(model.body), gain,
        )  # fmt: skip
        return len(chunk)

    done = 0
    with ThreadPoolExecutor(threads) as pool:
        for count in pool.map(look, [rows[k : k + CHUNK] for k in range(0, len(rows), CHUNK)]):
            done += count
            if progress is not None:
                progress(done, len(rows))
    return Glances(gain)


@njit()
def _glance_chunk(
    model: FitModel,
    chunk: Ints,
    seen_all: Array,
    focal_px: Array,
    focal_known: NDArray[np.bool_],
    fits: Fits,
    orders: Ints,
    bent: NDArray[np.bool_],
    whole: NDArray[np.bool_],
    twin: Ints,
    sign: Array,
    noise: float,
    work: Work,
    gain: Array,
) -> None:
    body = model.body
    x, root = np.empty(len(body.mean)), np.empty((3, 3))
    variance, seen = np.empty(MARKERS), np.empty((MARKERS, 3))
    times, more = _NOT_MUCH_WORSE
    for n in chunk:
        own, focal, known = fits.cost[n], focal_px[n], focal_known[n]
        point_variance(body, noise, fits.torso_px[n] / TORSO_UNIT_M, variance)
        for s in range(len(orders)):
            if not _exchange(seen_all[n], orders[s], APART * fits.torso_px[n], seen):
                continue
            assign(x, fits.columns[n])
            assign(root, fits.root[n])
            if whole[s]:
                _mirror_in_depth(body, fits.columns[n], twin, sign, x, root)
            for k, limb in enumerate(model.limbs):
                if bent[s, k]:
                    place(body, x, root, work, False)
                    bend_limb(limb, body, x, focal, seen, variance, work)
            cost = descend(
                body, x, root, focal, known, seen, variance, SOFT_FIRST, _FIRST_STEPS, 1e-2, work
            )
            if cost < times * own + more:
                cost = descend(
                    body, x, root, focal, known, seen, variance, SOFT, _STEPS, 2e-3, work
                )
                gain[n, s] = own - cost


@inner()
def _exchange(points: Array, order: Ints, apart_px: float, out: Array) -> bool:
    """Fill ``out`` (37, 3) with the points in another order; does that move one by so much?"""
    moved = False
    for m in range(MARKERS):
        assign(out[m], points[order[m]])
        if order[m] != m and (out[m, 2] > 0 or points[m, 2] > 0):
            way = np.hypot(out[m, 0] - points[m, 0], out[m, 1] - points[m, 1])
            moved = moved or out[m, 2] != points[m, 2] or way > apart_px
    return moved


@inner()
def _mirror_in_depth(
    body: Body, columns: Array, twin: Ints, sign: Array, x: Array, root: Array
) -> None:
    """The mirrored body that, turned about in depth, looks from afar as the body does."""
    for k in range(body.root):
        x[k] = sign[k] * columns[twin[k]]
    for i in range(3):
        for j in range(3):
            if (i == 2) != (j == 2):
                root[i, j] = -root[i, j]


def joined(parts: Sequence[Swapped]) -> Swapped:
    """Several groups of people as one."""
    return Swapped(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Swapped))
    )


def whole_people(people: Sightings, fits: Fits, swaps: Ints) -> NDArray[np.bool_]:
    """Of whom (P,) the exchange leaves no pair of points where it was: without a face, or with one
    in profile, arms and legs are everything."""
    everything = np.full(len(swaps), list(SWAPS).index("everything"))
    return np.asarray((_moved(people, fits, swaps) == _moved(people, fits, everything)).all(1))


def _moved(people: Sightings, fits: Fits, swaps: Ints) -> NDArray[np.bool_]:
    """Which points (P, 37) an exchange moves by more than ``APART``."""
    swapped = exchanged(people, swaps)
    way = np.linalg.norm(swapped.points_px - people.points_px, axis=2)
    moved = people.visible & swapped.visible & (way > APART * fits.torso_px[:, None])
    moved |= people.visible != swapped.visible
    return np.asarray(moved & (_ORDERS[swaps] != np.arange(len(NAMES))))


def _exchanges(people: Sightings, fits: Fits) -> tuple[Ints, Ints]:
    """The people and exchanges worth trying; of several that move the same points, the first."""
    rows, swaps = [], []
    tried: set[tuple[int, bytes]] = set()
    for k in range(len(_ORDERS)):
        moved = _moved(people, fits, np.full(len(people.visible), k))
        for row in np.flatnonzero(fits.fitted & moved.any(axis=1)):
            what = (int(row), moved[row].tobytes())
            if what not in tried:
                tried.add(what)
                rows.append(row)
                swaps.append(k)
    return np.array(rows, dtype=np.int64), np.array(swaps, dtype=np.int64)
