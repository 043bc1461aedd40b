"""What differs between synthetic and real, and how much of the gap each difference makes.

Differences of tone, blur and noise are looked for one after the other, each after those before
have been evened out: a blurred picture has less noise, a darker one less contrast, and neither is
a cause of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap import appearance, body
from spinetrack_synth.gap.appearance import Crops, Picture
from spinetrack_synth.gap.displacement import Displacement
from spinetrack_synth.gap.distances import Distance, Shift, mean_shift
from spinetrack_synth.gap.people import Bools, Floats, Ints, Labels

LEVEL: Final = 0.02
"""Of all causes together, after Holm's correction."""
LEAST_EFFECT: Final = 0.25
"""Standard deviations: a smaller difference is real perhaps, but no cause of anything seen."""
LEAST_POSE_SHARE: Final = 0.02
"""Of the distance between people that is between the sets (0 alike, 1 nothing in common)."""
LEAST_TONE, LEAST_BLUR_PX, LEAST_NOISE = 6.0, 0.3, 0.8
"""Grey levels, pixels and grey levels that a picture has to change by for anyone to see it."""
NOISE_FLOOR: Final = 0.5
"""Grey levels: below, noise is what rounding makes of it."""
BLUR_FLOOR_PX: Final = 0.3

Change = Callable[[Picture], Picture]


@dataclass(frozen=True, eq=False)
class Cause:
    """A difference that was found: ``name`` (colour, blur, noise, pose, scale, occlusion or
    ``keypoint NAME``), in words, its size, and the chance of it by accident.

    ``change`` makes a picture of the set ``of`` (synthetic or real) look like the other's, so that
    the model can be asked what it costs; ``displaced`` the keypoint.
    """

    name: str
    told: str
    effect: float
    p: float
    change: Change | None = None
    of: str = "synthetic"
    displaced: Displacement | None = None


@dataclass(frozen=True)
class _Candidate:
    cause: Cause
    large: bool


def find_causes(
    labels: tuple[Labels, Labels],
    crops: tuple[Crops, Crops] | None,
    pose: Distance | None,
    displaced: Sequence[Displacement],
    judged: Bools,
    permutations: int,
    seed: int,
) -> tuple[Cause, ...]:
    """The causes that stand out, of (synthetic, real); the surest first."""
    candidates = []
    if pose is not None:
        told = f"poses and views differ: {pose.share:.0%} of their spread lies between the sets"
        cause = Cause("pose", told, pose.share, pose.p)
        candidates.append(_Candidate(cause, pose.share >= LEAST_POSE_SHARE))
    clusters = _clusters(labels)
    for name, unit, values in (
        ("scale", "as high in pixels", [np.log(body.height_px(each)) for each in labels]),
        ("occlusion", "", [body.occlusion(each, judged) for each in labels]),
    ):
        values = [np.where(e.people, v, np.nan) for e, v in zip(labels, values)]
        shift = mean_shift(values[0], values[1], clusters, permutations, seed)
        if name == "scale":
            told = f"real people are {np.exp(shift.value):.2f} times {unit}"
        else:
            told = (
                f"of real people {np.nanmean(values[1]):.0%} of the keypoints are hidden or not "
                f"labelled, of synthetic ones {np.nanmean(values[0]):.0%}"
            )
        candidates.append(_candidate(name, told, shift, True))
    if crops is not None and min(len(each.rows) for each in crops) > 1:
        candidates += _of_appearance(labels, crops, permutations, seed)
    kept = _holm(candidates)
    return (*kept, *(_of_keypoint(each) for each in displaced))


def _clusters(labels: tuple[Labels, Labels]) -> tuple[Ints, Ints]:
    first, second = (each.cluster[each.image] for each in labels)
    return first, second


def _candidate(
    name: str,
    told: str,
    shift: Shift,
    enough: bool,
    change: Change | None = None,
    of: str = "synthetic",
) -> _Candidate:
    """``enough`` tells whether the difference is one that anybody could see."""
    cause = Cause(name, told, shift.effect, shift.p, change, of)
    return _Candidate(cause, bool(enough and abs(shift.effect) >= LEAST_EFFECT))


def _holm(candidates: Sequence[_Candidate]) -> list[Cause]:
    """Those whose chance, corrected for how many were looked for, is small, and that are large."""
    order = sorted(candidates, key=lambda each: each.cause.p)
    kept = []
    for place, candidate in enumerate(order):
        if candidate.cause.p * (len(order) - place) > LEVEL:
            break
        if candidate.large:
            kept.append(candidate.cause)
    return kept


def _of_keypoint(displaced: Displacement) -> Cause:
    name = skeleton.NAMES[displaced.keypoint]
    a, b = displaced.shift
    axes = (
        f"{abs(b):.1%} {'down' if b > 0 else 'up'} and {abs(a):.1%} to the "
        f"{'right' if a > 0 else 'left'} in the picture"
        if displaced.frame == "picture"
        else f"{abs(a):.1%} {'up' if a > 0 else 'down'} the trunk and {abs(b):.1%} "
        f"{'forward' if b > 0 else 'backward'}"
    )
    told = (
        f"on real labels predictions of {name} lie {axes} (of the box's diagonal) from where they "
        "lie on synthetic ones: the labels mean different points, or the model has learned one"
    )
    return Cause(f"keypoint {name}", told, displaced.size, displaced.p, displaced=displaced)


def _of_appearance(
    labels: tuple[Labels, Labels], crops: tuple[Crops, Crops], permutations: int, seed: int
) -> list[_Candidate]:
    clusters = (
        labels[0].cluster[labels[0].image[crops[0].rows]],
        labels[1].cluster[labels[1].image[crops[1].rows]],
    )

    def shift(a: Floats, b: Floats) -> Shift:
        return mean_shift(a, b, clusters, permutations, seed)

    even = list(crops)
    tones = [appearance.tones(each) for each in even]
    shifts = [shift(tones[0][:, n], tones[1][:, n]) for n in range(len(appearance.TONES))]
    surest = min(shifts, key=lambda each: (each.p, -abs(each.effect)))
    tone = Shift(surest.value, surest.effect, min(1.0, len(shifts) * surest.p))
    # Contrast scales, the means shift: what a camera's exposure, grading and white balance do.
    contrasts = [each[:, 1].mean() for each in tones]
    means = [appearance.channel_means(each).mean(0) for each in even]
    gain = np.full(3, contrasts[1] / max(contrasts[0], 1e-6))
    offset = means[1] - gain * means[0]

    def to_real_tone(picture: Picture) -> Picture:
        return appearance.match_tone(picture, gain, offset)

    told = ", ".join(f"{name} {each.value:+.0f}" for name, each in zip(appearance.TONES, shifts))
    colour = _candidate(
        "colour", f"real pictures differ in tone, in grey levels: {told}", tone,
        abs(tone.value) >= LEAST_TONE, to_real_tone,
    )  # fmt: skip
    candidates = [colour]
    if colour.large and tone.p < LEVEL:
        even[0] = appearance.changed(even[0], to_real_tone)

    grains = [appearance.grains(each) for each in even]
    logs = [np.log(each[:, 0] + BLUR_FLOOR_PX) for each in grains]
    found = shift(*logs)
    medians = [_median(each[:, 0]) for each in grains]
    more = float(np.sqrt(abs(medians[1] ** 2 - medians[0] ** 2)))
    blurrier = 1 if medians[1] > medians[0] else 0

    def blur(picture: Picture) -> Picture:
        return appearance.blurred(picture, more)

    sides = ("synthetic", "real")
    told = f"edges are {medians[1]:.1f} px wide in real pictures, {medians[0]:.1f} in synthetic"
    enough = more >= LEAST_BLUR_PX
    candidate = _candidate("blur", told, found, enough, blur, sides[1 - blurrier])
    candidates.append(candidate)
    if candidate.large and found.p < LEVEL:
        even[1 - blurrier] = appearance.changed(even[1 - blurrier], blur)
        grains = [appearance.grains(each) for each in even]

    found = shift(*(np.log(each[:, 1] + NOISE_FLOOR) for each in grains))
    medians = [_median(each[:, 1]) for each in grains]
    noisier = 1 if medians[1] > medians[0] else 0
    added = float(np.sqrt(abs(medians[1] ** 2 - medians[0] ** 2)))

    def noise(picture: Picture) -> Picture:
        return appearance.noisy(picture, added, seed)

    told = (
        f"noise is {medians[1]:.1f} grey levels in real pictures, {medians[0]:.1f} in synthetic"
        + (", blur being equal" if candidate.large and candidate.cause.p < LEVEL else "")
    )
    enough = added >= LEAST_NOISE
    candidates.append(_candidate("noise", told, found, enough, noise, sides[1 - noisier]))
    return candidates


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
