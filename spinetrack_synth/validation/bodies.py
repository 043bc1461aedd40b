"""The body model fitted to the people of a file, once for all rules that ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.fit2d.body import column_names
from spinetrack_synth.anatomy.fit2d.people import (
    FitModel,
    Fits,
    Progress,
    Sightings,
    fit_people,
    good_cost,
    make_fit_model,
)
from spinetrack_synth.anatomy.fit2d.swaps import Swapped, joined, try_swaps
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.validation.columns import Dataset, as_float
from spinetrack_synth.validation.findings import Work

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

NOISES: Final = (0.01, 0.015, 0.02, 0.03, 0.04)
"""How careless a file's labels may be taken to be, of the torso."""
USUAL_SURPRISE: Final = 1.12
"""Median surprise where the noise is what it is taken for: 0.96-1.09 in the calibration, 1.22-1.26
where it is half as much again."""
SAMPLE: Final = 120
"""People by whom the noise of a file is judged."""

BLOCK: Final = 256
"""People tried the other way round at once: each is 17 people then, so memory stays small."""

USUAL_FOCAL: Final = 1.2
"""Focal length of a picture that does not tell it, in the longer sides: a phone's."""


@dataclass(frozen=True)
class Bodies:
    """Fits of P people of a file: ``rows`` (P,) their annotations, ``noise`` what the labels were
    taken for, ``names`` of the fits' columns; ``doubtful`` (D,) those people, by index in ``rows``,
    for whom ``swapped`` (D) tells about left and right."""

    rows: Rows
    noise: float
    names: tuple[str, ...]
    model: FitModel
    sightings: Sightings
    fits: Fits
    doubtful: Rows
    swapped: Swapped


def bodies_of(dataset: Dataset, work: Work) -> Bodies:
    """The people of a file with at least one labelled point, fitted; crowds are left out."""
    return dataset.once("bodies", lambda: _fit(dataset, work))


@lru_cache(maxsize=1)
def fit_model() -> FitModel:
    """The full-body model, beginning at the poses of the library."""
    tree = load_model(fullbody_path())
    return make_fit_model(tree, [pose_coordinates(tree, pose) for pose in library().values()])


@lru_cache(maxsize=1)
def fit_columns() -> tuple[str, ...]:
    """Names of the fits' columns."""
    return column_names(load_model(fullbody_path()))


def estimate_noise(model: FitModel, people: Sightings, threads: int = 1) -> float:
    """How far a file's labels scatter about a body, of the torso: the smallest of ``NOISES`` that
    does not surprise."""
    count = len(people.visible)
    some = people.some(np.unique(np.linspace(0, count - 1, min(count, SAMPLE)).astype(int)))
    for noise in NOISES:
        surprise = fit_people(model, some, noise=noise, effort=1, threads=threads).surprise
        known = surprise[np.isfinite(surprise)]
        if not len(known) or np.median(known) <= USUAL_SURPRISE:
            return noise
    return NOISES[-1]


def examine(
    model: FitModel,
    people: Sightings,
    *,
    noise: float,
    threads: int = 1,
    progress: Progress | None = None,
) -> tuple[Fits, Rows, Swapped]:
    """Fit people; try left and right the other way round for those who cost more than usual or have
    a point left out."""
    count = len(people.visible)
    fits = fit_people(model, people, noise=noise, threads=threads, progress=progress)
    bad = (fits.cost > good_cost(fits.labelled)) | fits.dropped.any(axis=1)
    doubtful = np.flatnonzero(fits.fitted & bad)
    blocks = []
    for start in range(0, max(len(doubtful), 1), BLOCK):
        block = doubtful[start : start + BLOCK]
        blocks.append(
            try_swaps(model, people.some(block), fits.some(block), noise=noise, threads=threads)
        )
        if progress is not None:
            progress(count + start + len(block), count + len(doubtful))
    return fits, doubtful, joined(blocks)


def _fit(dataset: Dataset, work: Work) -> Bodies:
    points, visible = _points(dataset)
    rows = np.flatnonzero(visible.any(axis=1) & ~dataset.crowd)
    focal, center, known = _cameras(dataset, points, visible)
    people = Sightings(points, visible, focal, center, known).some(rows)
    model = fit_model()
    noise = estimate_noise(model, people, work.processes)
    fits, doubtful, swapped = examine(
        model, people, noise=noise, threads=work.processes, progress=work.progress
    )
    return Bodies(rows, noise, fit_columns(), model, people, fits, doubtful, swapped)


def _points(dataset: Dataset) -> tuple[Floats, NDArray[np.bool_]]:
    """Every annotation's points (N, 37, 2) in the skeleton's order and which are labelled."""
    named = np.stack([dataset.point(name) for name in skeleton.NAMES], axis=1)
    visible = np.asarray(np.isfinite(named).all(axis=2))
    return np.where(visible[:, :, None], named[:, :, :2], 0.0), visible


def _cameras(
    dataset: Dataset, points: Floats, visible: NDArray[np.bool_]
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Focal length (N,) px, principal point (N, 2) px, and whether the picture tells them (N,)."""
    cameras = np.array([_camera(image) for image in dataset.images]).reshape(-1, 3)
    of_person = np.vstack([cameras, [[np.nan] * 3]])[dataset.image_row]
    known = np.isfinite(of_person).all(axis=1)
    sizes = dataset.sizes
    focal = np.where(known, of_person[:, 0], USUAL_FOCAL * sizes.max(axis=1))
    center = np.where(known[:, None], of_person[:, 1:], sizes / 2)
    # Without a size, as if seen from far away in the middle of the picture.
    lost = ~np.isfinite(focal)
    low = np.where(visible[:, :, None], points, np.inf).min(axis=1)
    high = np.where(visible[:, :, None], points, -np.inf).max(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        focal = np.where(lost, 5.0 * (high - low).max(axis=1), focal)
        center = np.where(lost[:, None], (high + low) / 2, center)
    return focal, center, known


def _camera(image: dict[str, Any]) -> tuple[float, float, float]:
    """Focal length and principal point, px, of an image that carries its ``K``; else nan."""
    K = image.get("K")
    if not isinstance(K, list) or [len(r) if isinstance(r, list) else 0 for r in K] != [3] * 3:
        return np.nan, np.nan, np.nan
    focal = (as_float(K[0][0]) + as_float(K[1][1])) / 2
    return (focal if focal > 0 else np.nan), as_float(K[0][2]), as_float(K[1][2])
