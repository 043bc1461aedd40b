"""What differs between synthetic and real, and how much of the gap each difference makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from spinetrack_synth.gap import conventions, person_attributes
from spinetrack_synth.gap.appearance import Crops
from spinetrack_synth.gap.appearance_differences import of_appearance
from spinetrack_synth.gap.candidates import LEAST_EFFECT, LEVEL, Candidate, Cause, candidate
from spinetrack_synth.gap.displacement import Displacement
from spinetrack_synth.gap.distances import Distance, Shift, mean_shift
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.labels import Bools, Floats, Ints

LEAST_POSE_SHARE: Final = 0.02
"""Of the distance between people that is between the sets (0 alike, 1 nothing in common)."""
LEAST_MARGIN: Final = 0.08
"""Logarithm of how much larger boxes are about their keypoints."""
LEAST_SWAPPED: Final = 0.05
"""Difference of the shares of people whose left and right are swapped."""


def find_causes(
    sides: tuple[Evaluation, Evaluation],
    crops: tuple[Crops, Crops] | None,
    pose: Distance | None,
    displaced: Sequence[Displacement],
    judged: Bools,
    permutations: int,
    seed: int,
) -> tuple[Cause, ...]:
    """The causes that stand out, of (synthetic, real): first predictions on another scale than
    their labels, then the surest first, then keypoints."""
    labels = (sides[0].labels, sides[1].labels)
    candidates = []
    if pose is not None:
        told = f"poses and views differ: {pose.share:.0%} of their spread lies between the sets"
        candidates.append(
            Candidate(Cause("pose", told, pose.share, pose.p), pose.share >= LEAST_POSE_SHARE)
        )
    clusters = _clusters(sides)

    def shift(values: Sequence[Floats]) -> Shift:
        kept = [np.where(e.people, v, np.nan) for e, v in zip(labels, values)]
        return mean_shift(kept[0], kept[1], clusters, permutations, seed)

    found = shift([np.log(person_attributes.height_px(each)) for each in labels])
    told = f"real people are {np.exp(found.value):.2f} times as high in pixels"
    candidates.append(candidate("scale", told, found, True))
    hidden = [person_attributes.occlusion(each, judged) for each in labels]
    told = (
        f"of real people {_share(hidden[1])} of the keypoints are hidden or not labelled, of "
        f"synthetic ones {_share(hidden[0])}"
    )
    candidates.append(candidate("occlusion", told, shift(hidden), True))
    candidates += [_of_boxes(sides, judged, shift), _of_sides(sides, judged, shift)]
    if crops is not None and min(len(each.rows) for each in crops) > 1:
        candidates += of_appearance(labels, crops, permutations, seed)
    scaled = [
        cause
        for name, side in zip(("synthetic", "real"), sides)
        if (cause := _of_scale(name, side, judged)) is not None
    ]
    return (*scaled, *_holm(candidates), *(_of_keypoints(each) for each in displaced))


def _share(values: Floats) -> str:
    return f"{np.nanmean(values):.0%}" if np.isfinite(values).any() else "-"


def _clusters(sides: tuple[Evaluation, Evaluation]) -> tuple[Ints, Ints]:
    first, second = (each.labels.cluster[each.labels.image] for each in sides)
    return first, second


def _holm(candidates: Sequence[Candidate]) -> list[Cause]:
    """Those whose chance, corrected for how many were looked for, is small, and that are large."""
    order = sorted(candidates, key=lambda each: each.cause.p)
    kept = []
    for place, each in enumerate(order):
        if each.cause.p * (len(order) - place) > LEVEL:
            break
        if each.large:
            kept.append(each.cause)
    return kept


def _of_boxes(
    sides: tuple[Evaluation, Evaluation], judged: Bools, shift: Callable[[Sequence[Floats]], Shift]
) -> Candidate:
    found = shift([conventions.box_margins(each, judged) for each in sides])
    ratio = float(np.exp(found.value))
    told = (
        f"real boxes are {ratio:.2f} times as large about their keypoints as synthetic ones: "
        f"errors over the box's diagonal are {'smaller' if ratio > 1 else 'larger'} for that "
        "alone, and the model is shown another crop"
    )
    enough = abs(found.value) >= LEAST_MARGIN
    cause = Cause("boxes", told, found.effect, found.p, of="real", factor=ratio)
    return Candidate(cause, bool(enough and abs(found.effect) >= LEAST_EFFECT))


def _of_sides(
    sides: tuple[Evaluation, Evaluation], judged: Bools, shift: Callable[[Sequence[Floats]], Shift]
) -> Candidate:
    swapped = [conventions.swapped(each, judged) for each in sides]
    found = shift(swapped)
    more = 1 if found.value > 0 else 0
    told = (
        f"of {_share(swapped[1])} of the real people and {_share(swapped[0])} of the synthetic "
        "ones left and right fit the other side's labels: swapped in the labels, mirrored "
        "pictures, or the model takes front for back"
    )
    cause = Cause(
        "swapped sides", told, found.effect, found.p, of=("synthetic", "real")[more],
        mended=conventions.unswapped(sides[more], judged),
    )  # fmt: skip
    return Candidate(cause, bool(abs(found.value) >= LEAST_SWAPPED))


def _of_scale(name: str, side: Evaluation, judged: Bools) -> Cause | None:
    scale = conventions.other_scale(side, judged)
    if scale is None:
        return None
    x, y = scale.offset
    told = (
        f"predictions on {name} people are {scale.factor:.3g} times the labels' coordinates"
        + (f" and {x:+.0f}, {y:+.0f} px" if max(abs(x), abs(y)) >= 1 else "")
        + f": in the labels' pixels {scale.fall:.0%} of the error is gone; they were made of "
        "pictures of another size"
    )
    mended = (side.pairs.points - np.array(scale.offset)) / scale.factor
    return Cause("coordinates", told, scale.fall, 0.0, of=name, mended=mended)


def _of_keypoints(displaced: Displacement) -> Cause:
    up, forward, left = displaced.body
    x, y = displaced.picture_px
    axes = (("up the trunk", "down the trunk", up), ("forward", "backward", forward),
            ("to the own left", "to the own right", left))  # fmt: skip
    along = ", ".join(
        f"{abs(value):.1%} {plus if value > 0 else minus}"
        for plus, minus, value in axes
        if np.isfinite(value)
    )
    what = displaced.name.removeprefix("keypoint ")
    told = (
        f"on real labels predictions of {what} lie {along} (of the box's diagonal), in the picture "
        f"{abs(x):.1f} px to the {'right' if x > 0 else 'left'} and {abs(y):.1f} px "
        f"{'down' if y > 0 else 'up'}, from where they lie on synthetic ones: the labels mean "
        "different points, or the model has learned one"
    )
    return Cause(displaced.name, told, displaced.size, displaced.p, displaced=displaced)
