"""What the table of ablations tells of a network: its own judging, and the spine on real photos."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from photos import Answers, Person, along_trunk, ask, in_order, inside_mask, people_of, spacing

from spinetrack_synth.anatomy.fit2d.people import Sightings, fit_people, good_cost
from spinetrack_synth.skeleton import INDEX, NAMES, SPINE
from spinetrack_synth.spinepose import PoseModel
from spinetrack_synth.validation.body_fits import USUAL_FOCAL, estimate_noise, fit_model

Floats = NDArray[np.float64]

JUDGED = {
    "lspe_body": ("lspe", "body_oks"),
    "coco_mini_body": ("coco-mini", "body_oks"),
    "rendered_body": ("rendered", "body_oks"),
    "rendered_spine": ("rendered", "spine_oks"),
    "rendered_feet": ("rendered", "feet_oks"),
}
"""Figures by name: the judged set, and what it is called there."""

DISTANCES = ("fitted", "flip", "scale")
ON_PHOTOS = ("order", "trunk", "mask", "spacing", *DISTANCES)
FIGURES = (*JUDGED, *ON_PHOTOS)
OF_SPINE = ("rendered_spine", "rendered_feet", *ON_PHOTOS)
"""Those that mean nothing where nobody has shown the network a spine."""

FITTED_TO = (*range(17), INDEX["head"])
"""Points to which bodies are fitted: those that photos' labels have, and no spine."""


@dataclass(frozen=True)
class Photographed:
    """N people on photos, with the body fitted to their labels: its ``spine`` (N, 9, 2) px, the
    length of its torso ``torso_px`` (N,), nan for people whom it does not fit."""

    people: tuple[Person, ...]
    spine: Floats
    torso_px: Floats


def photographed(labels: Path, images: Path) -> Photographed:
    """The labelled people of a COCO file."""
    people = tuple(people_of(json.loads(labels.read_bytes()), images))
    points = np.stack([person.labels for person in people])
    sizes = np.array([person.picture.shape[1::-1] for person in people], np.float64)
    seen = (points[..., 2] > 0) & np.isin(np.arange(len(NAMES)), FITTED_TO)
    sightings = Sightings(
        points[..., :2], seen, USUAL_FOCAL * sizes.max(axis=1), sizes / 2,
        np.zeros(len(people), bool),
    )  # fmt: skip
    model = fit_model()
    fits = fit_people(model, sightings, noise=estimate_noise(model, sightings))
    good = fits.fitted & (fits.cost <= good_cost(fits.labelled))
    torso_px = np.where(good, fits.torso_px, np.nan)
    return Photographed(people, fits.projected_px[:, list(SPINE)], torso_px)


def figures_on_photos(model: PoseModel, sets: Sequence[Photographed]) -> dict[str, float]:
    """The figures of ``ON_PHOTOS`` over the people of all sets."""
    told = [
        figures_of_person(person, ask(model, person, flip_test=True), spine, torso_px)
        for each in sets
        for person, spine, torso_px in zip(each.people, each.spine, each.torso_px)
    ]
    values = {name: [person[name] for person in told] for name in ON_PHOTOS}
    return {
        name: float(np.nanmedian(each) if name in DISTANCES else np.nanmean(each))
        for name, each in values.items()
    }


def figures_of_person(
    person: Person, answers: Answers, fitted: Floats, torso_px: float
) -> dict[str, float]:
    """Of one person; nan where labels do not tell. ``fitted`` (9, 2) is the fitted body's spine;
    how far points are from it, and go when the picture is mirrored or the box is larger, is the
    mean of the nine in torso lengths."""
    plain, mirrored, scaled = answers.spine, answers.mirrored, answers.scaled
    assert plain is not None and mirrored is not None and scaled is not None
    spine = answers.points[list(SPINE)]

    def away(these: Floats, those: Floats) -> float:
        return float(np.linalg.norm(these - those, axis=1).mean() / torso_px)

    return {
        "order": float(in_order(spine)),
        "trunk": along_trunk(person, spine),
        "mask": inside_mask(person, spine),
        "spacing": spacing(spine),
        "fitted": away(spine, fitted),
        "flip": away(mirrored, plain),
        "scale": away(scaled, plain),
    }


def error_of_fitted(rendered: Photographed) -> float:
    """How far the spine of the fitted body itself is from the truth, in torso lengths: the median
    of people whose spine is labelled, of the mean of their points."""
    labels = np.stack([person.labels[list(SPINE)] for person in rendered.people])
    away = np.linalg.norm(rendered.spine - labels[..., :2], axis=2) / rendered.torso_px[:, None]
    away = away[(labels[..., 2] > 0).all(axis=1)]
    return float(np.nanmedian(away.mean(axis=1)))
