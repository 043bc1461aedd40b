"""Left and right exchanged: would the body fit better the other way round?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.fit2d.people import FitModel, Fits, Sightings, fit_people
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


_ORDERS: Final = np.arange(len(NAMES)) + np.zeros((len(SWAPS), 1), dtype=np.int64)
"""Which point (S, 37) takes each label in each exchange."""
for _row, _parts in enumerate(SWAPS.values()):
    for _part in _parts:
        for _side in ("left_", "right_"):
            _ORDERS[_row, INDEX[_side + _part]] = MIRROR[INDEX[_side + _part]]


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


def joined(parts: Sequence[Swapped]) -> Swapped:
    """Several groups of people as one."""
    return Swapped(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Swapped))
    )


def _exchanges(people: Sightings, fits: Fits) -> tuple[Ints, Ints]:
    """The people and exchanges worth trying; of several that move the same points, the first."""
    rows, swaps = [], []
    tried: set[tuple[int, bytes]] = set()
    for k, order in enumerate(_ORDERS):
        swapped = exchanged(people, np.full(len(people.visible), k))
        way = np.linalg.norm(swapped.points_px - people.points_px, axis=2)
        moved = people.visible & swapped.visible & (way > APART * fits.torso_px[:, None])
        moved |= people.visible != swapped.visible
        moved &= order != np.arange(len(NAMES))
        for row in np.flatnonzero(fits.fitted & moved.any(axis=1)):
            what = (int(row), moved[row].tobytes())
            if what not in tried:
                tried.add(what)
                rows.append(row)
                swaps.append(k)
    return np.array(rows, dtype=np.int64), np.array(swaps, dtype=np.int64)
