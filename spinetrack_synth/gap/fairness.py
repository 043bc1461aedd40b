"""What makes a comparison of two datasets unfair, told before any figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap.evaluation import FEW_PEOPLE, Evaluation
from spinetrack_synth.gap.people import Labels
from spinetrack_synth.validation.pictures import Picture, alike, inspect, near_pairs

FEW_PICTURES: Final = 20
NEAR_BITS: Final = 6
"""Of 256, as in the gate's rules of duplicates."""
MOST_PICTURES: Final = 2000


def unfairness(
    synthetic: Evaluation,
    real: Evaluation,
    folders: tuple[Path | None, Path | None],
) -> tuple[str, ...]:
    """Everything a reader has to know, the worst first."""
    sides = (("synthetic", synthetic), ("real", real))
    found = [
        *_same_pictures(synthetic.labels, real.labels, folders),
        *_same_labels(synthetic.labels, real.labels),
        *(line for name, side in sides for line in _seen_in_training(name, side.labels)),
        *_definitions(synthetic.labels, real.labels),
    ]
    for name, side in sides:
        people, pictures = int(side.labels.people.sum()), len(np.unique(side.labels.image))
        if people < FEW_PEOPLE or pictures < FEW_PICTURES:
            found.append(
                f"only {people} {name} people in {pictures} pictures: intervals are wide and "
                "may be too narrow still"
            )
        lost = 1 - side.pairs.found[side.labels.people].mean()
        if lost > 0:
            found.append(
                f"{lost:.1%} of the {name} people have no prediction and count in no error"
            )
    if synthetic.pairs.by_box != real.pairs.by_box:
        found.append(
            "one side's predictions name their boxes and the other's do not: with boxes from a "
            "detector the missed people leave the errors"
        )
    return tuple(found)


def _same_pictures(
    synthetic: Labels, real: Labels, folders: tuple[Path | None, Path | None]
) -> list[str]:
    if folders[0] is None or folders[1] is None:
        return []
    sides = [
        _pictures(labels, folder)
        for labels, folder in zip((synthetic, real), (folders[0], folders[1]))
    ]
    digests = [{picture.digest for picture in side if picture.digest} for side in sides]
    same = len(digests[0] & digests[1])
    if same:
        return [
            f"{same} pictures are in both sets: a gap between them says nothing, and neither does "
            "its absence"
        ]
    every = [(n, p) for n, side in enumerate(sides) for p in side if p.look is not None]
    every = [(n, p) for n, p in every if not p.blank]
    if not every:
        return []
    looks = np.stack([picture.look for _, picture in every])  # type: ignore[misc]
    near = near_pairs(
        looks,
        NEAR_BITS,
        lambda a, b: every[a][0] != every[b][0] and alike(every[a][1], every[b][1]),
    )
    return [f"{len(near)} pictures of one set look like ones of the other"] if near else []


def _pictures(labels: Labels, folder: Path) -> Sequence[Picture]:
    used = np.unique(labels.image)[:MOST_PICTURES]
    names = [labels.coco.image_of[int(labels.image_ids[n])]["file_name"] for n in used]
    return [inspect(name, (folder,)) for name in names]


def _same_labels(synthetic: Labels, real: Labels) -> list[str]:
    sides = [
        {labels.points[row].tobytes() for row in np.flatnonzero(labels.people)}
        for labels in (synthetic, real)
    ]
    same = len(sides[0] & sides[1])
    if not same:
        return []
    return [f"{same} people have exactly the same keypoints in both sets: one is a copy"]


def _seen_in_training(name: str, labels: Labels) -> list[str]:
    found = []
    if re.search(r"(^|[^a-z])train($|[^a-z])", labels.path.stem):
        found.append(
            f"the {name} labels are a split for training ({labels.path.name}): on what a model "
            "has learned from, errors are too small"
        )
    sources = [str(image.get("coco_url", "")) for image in labels.coco.images]
    trained = sum("train2017" in source or "train2014" in source for source in sources)
    if trained:
        found.append(
            f"{trained} {name} pictures are of COCO's training split, on which nearly every pose "
            "network was trained: errors there are too small"
        )
    return found


def _definitions(synthetic: Labels, real: Labels) -> list[str]:
    found = []
    for name, labels in (("synthetic", synthetic), ("real", real)):
        missing = [skeleton.NAMES[k] for k in np.flatnonzero(~labels.defined)]
        if missing:
            spine = not labels.defined[list(skeleton.SPINE)].all()
            found.append(
                f"the {name} labels have {int(labels.defined.sum())} of the 37 keypoints: "
                + ("nothing is said of the spine" if spine else f"without {', '.join(missing)}")
            )
    sigmas = [_sigmas(labels) for labels in (synthetic, real)]
    shared = sigmas[0].keys() & sigmas[1].keys()
    if any(sigmas[0][name] != sigmas[1][name] for name in shared):
        found.append("the files state different sigmas; SpineTrack's are used for both")
    return found


def _sigmas(labels: Labels) -> dict[str, float]:
    for category in labels.coco.categories:
        values = category.get("sigmas")
        if isinstance(values, list) and len(values) == len(labels.names):
            return dict(zip(labels.names, values))
    return {}
