"""What makes a comparison of two datasets unfair, told before any figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.coco.fingerprints import Picture, alike, inspect, near_pairs
from spinetrack_synth.gap import taxonomy
from spinetrack_synth.gap.bootstrap import LEAST_CLUSTERS
from spinetrack_synth.gap.evaluation import FEW_PEOPLE, Evaluation
from spinetrack_synth.gap.labels import Labels

FEW_PICTURES: Final = 20
PAIRED: Final = [k for k, twin in enumerate(skeleton.MIRROR) if twin != k]
SWAPPED: Final = 0.2
"""Share of left and right keypoints that fit their twin's label on one side alone: no model errs so
often."""
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
    pictures = [
        _pictures(side.labels, folder) if folder and all(folders) else ()
        for (_, side), folder in zip(sides, folders)
    ]
    found = [
        *_same_pictures(pictures),
        *_same_labels(synthetic.labels, real.labels),
        *(line for name, side in sides for line in _seen_in_training(name, side.labels)),
        *_definitions(synthetic.labels, real.labels),
        *_swapped_sides(sides),
    ]
    for (name, side), own in zip(sides, pictures):
        unread = sum(picture.look is None for picture in own)
        if unread:
            found.append(
                f"{unread} {name} pictures are missing or cannot be read: nothing is told of how "
                "they look"
            )
        remarks = (*side.labels.remarks, *side.predictions.remarks)
        found += [f"{name} side: {remark}" for remark in remarks]
        people, count = int(side.labels.people.sum()), len(np.unique(side.labels.image))
        if people < FEW_PEOPLE or count < FEW_PICTURES:
            found.append(
                f"only {people} {name} people in {count} pictures: intervals are wide and may be "
                "too narrow still"
                if count >= LEAST_CLUSTERS
                else f"only {people} {name} people in {count} pictures: too few for intervals"
            )
        lost = 1 - side.pairs.found[side.labels.people].mean()
        if lost > 0:
            found.append(
                f"{lost:.1%} of the {name} people have no prediction and count in no error"
            )
    predicted = all(side.pairs.found.any() for _, side in sides)
    if predicted and synthetic.pairs.by_box != real.pairs.by_box:
        found.append(
            "one side's predictions name their boxes and the other's do not: with boxes from a "
            "detector the missed people leave the errors"
        )
    return tuple(found)


def _same_pictures(sides: Sequence[Sequence[Picture]]) -> list[str]:
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


def _swapped_sides(sides: Sequence[tuple[str, Evaluation]]) -> list[str]:
    shares = []
    for _, side in sides:
        kinds = side.errors.kinds[:, PAIRED]
        judged = (kinds != taxonomy.NONE).sum()
        shares.append((kinds == taxonomy.INVERSION).sum() / judged if judged else np.nan)
    return [
        f"{share:.0%} of the left and right keypoints fit the other side's label on {name} people: "
        "left and right are swapped in the labels, or the pictures are mirrored"
        for (name, _), share, other in zip(sides, shares, shares[::-1])
        if share - other > SWAPPED
    ]


def _sigmas(labels: Labels) -> dict[str, float]:
    for category in labels.coco.categories:
        values = category.get("sigmas")
        if isinstance(values, list) and len(values) == len(labels.names):
            return dict(zip(labels.names, values))
    return {}
