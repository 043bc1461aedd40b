"""The body model fitted to the people of a file, once for all rules that ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.fit2d.body import column_names
from spinetrack_synth.anatomy.fit2d.people import (
    MOST_EFFORT,
    FitModel,
    Fits,
    Progress,
    Sightings,
    fit_people,
    good_cost,
    make_fit_model,
)
from spinetrack_synth.anatomy.fit2d.starts import Bank
from spinetrack_synth.anatomy.fit2d.swaps import (
    GLANCES,
    SWAPS,
    Glances,
    Swapped,
    exchanged,
    glance,
    joined,
    try_swaps,
)
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.camera import Camera
from spinetrack_synth.coco.values import as_float
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.validation.dataset import Dataset
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
MIRRORED_SAMPLE: Final = 200
"""People by whom it is judged whether the whole file is mirrored."""

PROMISING_GAIN: Final = 1.5
"""Exchanges that gain so much at first sight are tried thoroughly; 1 clean person in 30."""

CHECKED_GAIN: Final = 5.0
"""Exchanges that gain so much are checked: often the fit as labelled had only not found its best.
Of 53 limbs of people in COCO val that had gained more than 12, 9 still do."""

MOST_HARD: Final = 2000
"""So many people whom nothing fits are searched for thoroughly, some 30 ms each; of the others
misplaced points are told, exchanges of left and right are not."""

BLOCK: Final = 256
"""People tried the other way round at once: each is 17 people then, so memory stays small."""

USUAL_FOCAL: Final = 1.2
"""Focal length of a picture that does not tell it, in the longer sides: a phone's."""


@dataclass(frozen=True)
class Bodies:
    """Fits of P people of a file: ``rows`` (P,) their annotations, ``noise`` what the labels were
    taken for, ``names`` of the fits' columns; ``glances`` (P) a first look at left and right,
    ``doubtful`` (D,) those people, by index in ``rows``, for whom ``swapped`` (D) tells more;
    ``mirrored_gain`` (P,) what some of them gain when everything is exchanged, both ways searched
    alike; nan for the others. Bodies are fitted to what a pinhole would have seen: ``lenses`` are
    the cameras of the people, by index in ``rows``, whose pictures a lens has bent."""

    rows: Rows
    noise: float
    names: tuple[str, ...]
    model: FitModel
    sightings: Sightings
    fits: Fits
    glances: Glances
    doubtful: Rows
    swapped: Swapped
    mirrored_gain: Floats
    lenses: dict[int, Camera] = field(default_factory=dict)

    def in_picture(self, person: int | np.integer, fitted_px: Floats) -> Floats:
        """Points (37, 2) of a person's fit where the picture's lens shows them."""
        if int(person) not in self.lenses:
            return fitted_px
        camera = self.lenses[int(person)]
        return camera.project(camera.pinhole().rays(fitted_px))


def bodies_of(dataset: Dataset, work: Work) -> Bodies:
    """The people of a file with at least one labelled point, fitted; crowds are left out."""
    return dataset.once("bodies", lambda: _fit(dataset, work))


@lru_cache(maxsize=1)
def fit_model() -> FitModel:
    """The full-body model, beginning at the poses of the library."""
    tree = fullbody()
    return make_fit_model(tree, [pose_coordinates(tree, pose) for pose in library("yoga").values()])


@lru_cache(maxsize=1)
def fit_columns() -> tuple[str, ...]:
    """Names of the fits' columns."""
    return column_names(fullbody())


def estimate_noise(model: FitModel, people: Sightings, threads: int = 1) -> float:
    """How far a file's labels scatter about a body, of the torso: the smallest of ``NOISES`` that
    does not surprise."""
    count = len(people.visible)
    some = people.some(_sample(count))
    for noise in NOISES:
        surprise = fit_people(model, some, noise=noise, effort=1, threads=threads).surprise
        known = surprise[np.isfinite(surprise)]
        if not len(known) or np.median(known) <= USUAL_SURPRISE:
            return noise
    return NOISES[-1]


def mirrored_gain(model: FitModel, people: Sightings, noise: float, threads: int = 1) -> Floats:
    """How much lower (P,) the cost of ``MIRRORED_SAMPLE`` people is when left and right of
    everything are exchanged; nan for the others, and for people whom nothing fits."""
    sample = _sample(len(people.visible), MIRRORED_SAMPLE)
    some = people.some(sample)
    everything = np.full(len(some.visible), list(SWAPS).index("everything"))
    fits = fit_people(model, some, noise=noise, threads=threads)
    mirrored = fit_people(
        model, exchanged(some, everything), noise=noise, torso_px=fits.torso_px, threads=threads
    )
    gain = np.full(len(people.visible), np.nan)
    gain[sample] = fits.cost - mirrored.cost
    return gain


def examine(
    model: FitModel,
    people: Sightings,
    *,
    noise: float,
    threads: int = 1,
    progress: Progress | None = None,
) -> tuple[Fits, Glances, Rows, Swapped]:
    """Fit people and look at them the other way round; try it thoroughly with those who cost more
    than usual, have a point left out, or fit better at first sight."""
    count = len(people.visible)
    fits, hurried = _fit_all(model, people, noise, threads, progress)
    bad = (fits.cost > good_cost(fits.labelled)) | fits.dropped.any(axis=1)
    calm = np.flatnonzero(~hurried)
    glances = Glances(np.full((count, len(GLANCES)), -np.inf))
    glances.gain[calm] = glance(
        model, people.some(calm), fits.some(calm), fit_columns(), noise=noise, threads=threads
    ).gain
    gain = np.maximum(glances.of_limbs, glances.of_everything)
    doubtful = np.flatnonzero(fits.fitted & (bad | (gain > PROMISING_GAIN)) & ~hurried)
    blocks = []
    for start in range(0, max(len(doubtful), 1), BLOCK):
        block = doubtful[start : start + BLOCK]
        some, of_block = people.some(block), fits.some(block)
        tried = try_swaps(model, some, of_block, noise=noise, threads=threads)
        tried = _with_glances(model, some, of_block, tried, glances.gain[block], noise, threads)
        blocks.append(_checked(model, some, of_block, tried, noise, threads))
        if progress is not None:
            progress(count + start + len(block), count + len(doubtful))
    return fits, glances, doubtful, joined(blocks)


def _with_glances(
    model: FitModel,
    people: Sightings,
    fits: Fits,
    tried: Swapped,
    gain: Floats,
    noise: float,
    threads: int,
) -> Swapped:
    """What was tried, or the best at first sight where that gains more."""
    best = gain.argmax(axis=1) if len(gain) else np.empty(0, dtype=np.int64)
    better = np.flatnonzero(gain.max(axis=1, initial=-np.inf) > np.maximum(tried.gain, 0.0))
    swaps = np.array([list(SWAPS).index(name) for name in GLANCES])[best[better]]
    refits = fit_people(
        model, exchanged(people.some(better), swaps), noise=noise,
        torso_px=fits.torso_px[better], effort=1, threads=threads,
    )  # fmt: skip
    tried.swap[better] = swaps
    tried.gain[better] = gain[better, best[better]]
    tried.projected_px[better] = refits.projected_px
    return tried


def _checked(
    model: FitModel, people: Sightings, fits: Fits, tried: Swapped, noise: float, threads: int
) -> Swapped:
    """What was tried, less what the people as labelled cost too much: they are searched for as
    long as the exchanged ones, from mixed postures and from where the exchanged ones ended."""
    rows = np.flatnonzero(tried.gain > CHECKED_GAIN)
    some, swaps = people.some(rows), tried.swap[rows]
    torso_px = fits.torso_px[rows]

    def fit(bank: Bank, sightings: Sightings, effort: int) -> Fits:
        return fit_people(
            model._replace(bank=bank), sightings, noise=noise, torso_px=torso_px, effort=effort,
            threads=threads,
        )  # fmt: skip

    least = np.fmin(fits.cost[rows], fit(model.wide_bank, some, MOST_EFFORT).cost)
    other = exchanged(some, swaps)
    refits = fit(model.bank, other, 1)
    for swap in np.unique(swaps):
        group = np.flatnonzero(swaps == swap)
        gain = glance(
            model, other.some(group), refits.some(group), fit_columns(),
            swaps=(list(SWAPS)[swap],), noise=noise, threads=threads,
        ).gain[:, 0]  # fmt: skip
        least[group] = np.fmin(least[group], refits.cost[group] - gain)
    tried.gain[rows] -= fits.cost[rows] - least
    return tried


def _fit_all(
    model: FitModel,
    people: Sightings,
    noise: float,
    threads: int,
    progress: Progress | None,
) -> tuple[Fits, NDArray[np.bool_]]:
    """All people fitted, and who of them in a hurry: people whom nothing fits take ten times as
    long, so in a large file full of them only some are searched for thoroughly."""
    count = len(people.visible)
    hurried = np.zeros(count, dtype=bool)
    if count > MOST_HARD:
        some = fit_people(model, people.some(_sample(count)), noise=noise, effort=1)
        hard = np.nanmean(some.cost > good_cost(some.labelled)) * count
        if hard > MOST_HARD:
            hurried[np.arange(count) % int(np.ceil(hard / MOST_HARD)) > 0] = True
    if not hurried.any():
        return fit_people(model, people, noise=noise, threads=threads, progress=progress), hurried
    parts = []
    for rows, effort in ((np.flatnonzero(~hurried), MOST_EFFORT), (np.flatnonzero(hurried), 2)):
        done = count - int(hurried.sum()) if effort == 2 else 0
        tell = None if progress is None else _shifted(progress, done, count)
        parts.append((rows, fit_people(model, people.some(rows), noise=noise, effort=effort,
                                       threads=threads, progress=tell)))  # fmt: skip
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    columns = zip(*(fits for _, fits in parts))
    return Fits._make(np.concatenate(column)[order] for column in columns), hurried


def _shifted(progress: Progress, by: int, whole: int) -> Progress:
    return lambda done, wanted: progress(by + done, whole)


def _sample(count: int, most: int = SAMPLE) -> Rows:
    """``most`` of so many people, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _fit(dataset: Dataset, work: Work) -> Bodies:
    points, visible = _points(dataset)
    rows = np.flatnonzero(visible.any(axis=1) & ~dataset.crowd & dataset.people)
    lenses = _lenses(dataset)
    for row in rows:
        if (camera := lenses.get(int(dataset.image_row[row]))) is not None:
            straight = (camera.rays(points[row]) @ camera.K.T)[:, :2]
            points[row] = np.where(np.isfinite(straight), straight, points[row])
    focal, center, known = _cameras(dataset, points, visible)
    people = Sightings(points, visible, focal, center, known).some(rows)
    model = fit_model()
    noise = estimate_noise(model, people, work.processes)
    fits, glances, doubtful, swapped = examine(
        model, people, noise=noise, threads=work.processes, progress=work.progress
    )
    mirrored = mirrored_gain(model, people, noise, work.processes)
    bent = {
        person: lenses[image]
        for person, image in enumerate(dataset.image_row[rows].tolist())
        if image in lenses
    }
    return Bodies(
        rows, noise, fit_columns(), model, people, fits, glances, doubtful, swapped, mirrored, bent
    )


def _points(dataset: Dataset) -> tuple[Floats, NDArray[np.bool_]]:
    """Every annotation's points (N, 37, 2) in the skeleton's order and which are labelled."""
    named = np.stack([dataset.point(name) for name in skeleton.NAMES], axis=1)
    visible = np.asarray(np.isfinite(named).all(axis=2))
    return np.where(visible[:, :, None], named[:, :, :2], 0.0), visible


def _lenses(dataset: Dataset) -> dict[int, Camera]:
    """The cameras with distortion, by the image's place in the file, at the world's origin."""
    found = {}
    for row, image in enumerate(dataset.images):
        if "distortion" not in image:
            continue
        focal, *center = _camera(image)
        try:
            distortion = Distortion.of_record(image["distortion"])
            width, height = (int(image[side]) for side in ("width", "height"))
            K = np.array(image["K"], dtype=float)
            if distortion is not None and np.isfinite([focal, *center]).all():
                found[row] = Camera(K, np.eye(4), width, height, distortion)
        except (KeyError, TypeError, ValueError, OverflowError, np.linalg.LinAlgError):
            continue  # SPT112, SPT113
    return found


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
