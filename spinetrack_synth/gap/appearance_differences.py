"""How the pictures of two sets differ, one difference after another.

Each is looked for after those before have been evened out: a compressed picture has flat blocks, a
covered person little texture, a blurred picture less contrast, and none is a cause twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from spinetrack_synth.gap import appearance
from spinetrack_synth.gap.appearance import Crops, Picture
from spinetrack_synth.gap.candidates import LEVEL, Candidate, candidate
from spinetrack_synth.gap.distances import Shift, mean_shift
from spinetrack_synth.gap.labels import Bools, Floats, Labels

LEAST_TONE, LEAST_BLUR_PX, LEAST_NOISE = 6.0, 0.3, 0.8
"""Grey levels, pixels and grey levels that a picture has to change by for anyone to see it."""
NOISE_FLOOR: Final = 0.5
"""Grey levels: below, noise is what rounding makes of it."""
BLUR_FLOOR_PX: Final = 0.3
COVERED: Final = 0.05
"""Who has this share of their keypoints behind flat patches is covered in part."""
LEAST_COVERED: Final = 0.05
"""Difference of the shares of people who are."""
LEAST_BLOCKS: Final = 0.15
"""Logarithm of the step across blocks: COCO's photos saved again with JPEG of quality 85 have some
.13, of 50 some .3, of 25 some .45."""
QUALITIES: Final = (90, 80, 70, 60, 50, 40, 30, 20, 10)
TRIED: Final = 24
"""Crops by which the quality is found."""
LEAST_CROPS: Final = 8
SIDES: Final = ("synthetic", "real")


def of_appearance(
    labels: tuple[Labels, Labels], crops: tuple[Crops, Crops], permutations: int, seed: int
) -> list[Candidate]:
    """Compression, occluders, blur, tone and noise of (synthetic, real) crops."""
    even = list(crops)
    candidates: list[Candidate] = []

    def shift(a: Floats, b: Floats) -> Shift:
        first, second = (e.cluster[e.image[c.rows]] for e, c in zip(labels, even))
        return mean_shift(a, b, (first, second), permutations, seed)

    def told_apart(found: Candidate) -> bool:
        candidates.append(found)
        return found.large and found.cause.p < LEVEL

    found, number, change = _compression(even, shift)
    if told_apart(found):
        even[number] = appearance.changed(even[number], change)
    hidden = [appearance.covered(c, e) for e, c in zip(labels, even)]
    if told_apart(_occluders(hidden, shift)):
        clear: list[Bools] = [~(each >= COVERED) for each in hidden]
        if min(each.sum() for each in clear) >= LEAST_CROPS:
            even = [c.only(kept) for c, kept in zip(even, clear)]
    found, number, change = _blur(even, shift)
    blurred = told_apart(found)
    if blurred:
        even[number] = appearance.changed(even[number], change)
    found, change = _tone(even, shift)
    if told_apart(found):
        even[0] = appearance.changed(even[0], change)
    told_apart(_noise(even, shift, blurred, seed))
    return candidates


def _occluders(hidden: list[Floats], shift: Callable[[Floats, Floats], Shift]) -> Candidate:
    people = [np.where(np.isfinite(each), each >= COVERED, np.nan) for each in hidden]
    means = [_mean(each) for each in people]
    told = (
        f"{means[1]:.0%} of the real people and {means[0]:.0%} of the synthetic ones are covered "
        f"in part by flat patches without any texture: on them lie {_mean(hidden[1]):.0%} and "
        f"{_mean(hidden[0]):.0%} of all keypoints"
    )
    enough = abs(means[1] - means[0]) >= LEAST_COVERED
    return candidate("occluders", told, shift(people[0], people[1]), enough)


def _compression(
    even: list[Crops], shift: Callable[[Floats, Floats], Shift]
) -> tuple[Candidate, int, Callable[[Picture], Picture]]:
    """What is found, the less compressed side and how to compress it as much."""
    blocks = [np.array([appearance.blockiness(p) for p in each.pixels]) for each in even]
    found = shift(blocks[0], blocks[1])
    medians = [_median(each) for each in blocks]
    less = 0 if medians[1] > medians[0] else 1
    tried = even[less].pixels[:TRIED]
    reached = {
        quality: _median(
            np.array([appearance.blockiness(appearance.compressed(p, quality)) for p in tried])
        )
        for quality in QUALITIES
        if abs(medians[1] - medians[0]) >= LEAST_BLOCKS
    }
    wanted = medians[1 - less]
    quality = min(reached, key=lambda q: abs(reached[q] - wanted), default=QUALITIES[0])

    def compress(picture: Picture) -> Picture:
        return appearance.compressed(picture, quality)

    told = (
        f"{SIDES[1 - less]} pictures show JPEG's blocks as {SIDES[less]} ones do after JPEG of "
        f"quality {quality} or so"
    )
    enough = abs(medians[1] - medians[0]) >= LEAST_BLOCKS
    return candidate("JPEG", told, found, enough, compress, SIDES[less]), less, compress


def _blur(
    even: list[Crops], shift: Callable[[Floats, Floats], Shift]
) -> tuple[Candidate, int, Callable[[Picture], Picture]]:
    """What is found, the sharper side and how to blur it as much."""
    widths = [appearance.grains(each)[:, 0] for each in even]
    found = shift(*(np.log(each + BLUR_FLOOR_PX) for each in widths))
    medians = [_median(each) for each in widths]
    more = float(np.sqrt(abs(medians[1] ** 2 - medians[0] ** 2)))
    sharper = 0 if medians[1] > medians[0] else 1

    def blur(picture: Picture) -> Picture:
        return appearance.blurred(picture, more)

    told = (
        f"edges are {medians[1]:.1f} px wide in real pictures, {medians[0]:.1f} in synthetic: blur "
        "or a lower resolution"
    )
    enough = more >= LEAST_BLUR_PX
    return candidate("blur", told, found, enough, blur, SIDES[sharper]), sharper, blur


def _tone(
    even: list[Crops], shift: Callable[[Floats, Floats], Shift]
) -> tuple[Candidate, Callable[[Picture], Picture]]:
    """What is found and how to give synthetic pictures the real ones' tone."""
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

    levels = ", ".join(f"{name} {each.value:+.0f}" for name, each in zip(appearance.TONES, shifts))
    told = f"real pictures differ in tone, in grey levels: {levels}"
    enough = abs(tone.value) >= LEAST_TONE
    return candidate("colour", told, tone, enough, to_real_tone), to_real_tone


def _noise(
    even: list[Crops], shift: Callable[[Floats, Floats], Shift], blurred: bool, seed: int
) -> Candidate:
    noises = [appearance.grains(each)[:, 1] for each in even]
    found = shift(*(np.log(each + NOISE_FLOOR) for each in noises))
    medians = [_median(each) for each in noises]
    cleaner = 0 if medians[1] > medians[0] else 1
    added = float(np.sqrt(abs(medians[1] ** 2 - medians[0] ** 2)))

    def noise(picture: Picture) -> Picture:
        return appearance.noisy(picture, added, seed)

    told = (
        f"noise is {medians[1]:.1f} grey levels in real pictures, {medians[0]:.1f} in synthetic"
        + (", blur being equal" if blurred else "")
    )
    return candidate("noise", told, found, added >= LEAST_NOISE, noise, SIDES[cleaner])


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
