"""How people's pictures look: tone, edge blur and noise in physical terms, and a vector of features
for distances and classifiers. No network: what numpy and scipy compute from the pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from spinetrack_synth.gap.labels import Bools, Floats, Ints, Labels

Picture = NDArray[np.float32]
"""Grey levels 0..255, (h, w, 3), red, green, blue."""

PADDING: Final = 1.25
"""Of the box, as pose networks are shown it."""
LEAST_PX: Final = 24
"""Smaller crops show neither blur nor noise."""
MOST_PX: Final = 512
"""Of larger crops the middle is looked at: they are never made smaller, which would change blur
and noise."""
MOST_PEOPLE: Final = 800
BLOCK_PX: Final = 8
"""JPEG's blocks."""
NOISE_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
"""Blind to planes and to edges along the axes (Immerkaer 1996)."""
LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)
EDGE_PERCENTILE, FLAT_PERCENTILE = 95.0, 10.0
MOST_BLUR_PX: Final = 6.0
CLEAR_EDGES: Final = 4.0
"""Times the gradient that noise alone has."""
THUMB: Final = (48, 36)
CELL: Final = 12


@dataclass(frozen=True, eq=False)
class Crops:
    """People cut out of their pictures: ``rows`` (C,) among the labels, ``pixels`` their crops,
    whose upper left ``corners`` (C, 2) px lie on JPEG's grid of 8 x 8 pixels."""

    rows: Ints
    pixels: tuple[Picture, ...]
    corners: Ints

    def only(self, kept: Bools) -> Crops:
        """Those of the crops (C,)."""
        pixels = tuple(each for each, keep in zip(self.pixels, kept) if keep)
        return Crops(self.rows[kept], pixels, self.corners[kept])


def cut_out(labels: Labels, folder: Path, rows: Ints) -> Crops:
    """The crops of these people, as far as their pictures can be read and show enough."""
    from PIL import Image

    kept: list[int] = []
    pixels: list[Picture] = []
    corners: list[Ints] = []
    last_name, picture = "", None
    for row in rows:
        record = labels.coco.image_of[int(labels.image_ids[labels.image[row]])]
        if record["file_name"] != last_name:
            last_name = record["file_name"]
            try:
                with Image.open(folder / last_name) as image:
                    picture = np.asarray(image.convert("RGB"), dtype=np.float32)
            except OSError:
                picture = None
        part = None if picture is None else _part(picture, labels.boxes[row])
        if part is not None:
            kept.append(int(row))
            pixels.append(part[0])
            corners.append(part[1])
    return Crops(
        np.array(kept, dtype=np.int64),
        tuple(pixels),
        np.array(corners, dtype=np.int64).reshape(-1, 2),
    )


def _part(picture: Picture, box: Floats) -> tuple[Picture, Ints] | None:
    centre, half = box[:2] + box[2:] / 2, np.minimum(box[2:] * PADDING, MOST_PX) / 2
    low = np.maximum(np.floor((centre - half) / BLOCK_PX) * BLOCK_PX, 0).astype(int)
    high = np.minimum(np.ceil(centre + half), (picture.shape[1], picture.shape[0])).astype(int)
    if (high - low < LEAST_PX).any():
        return None
    return picture[low[1] : high[1], low[0] : high[0]], low


def changed(crops: Crops, change: Callable[[Picture], Picture]) -> Crops:
    """The crops after a change of their pixels."""
    return replace(crops, pixels=tuple(change(pixels) for pixels in crops.pixels))


TONES: Final = ("brightness", "contrast", "red-blue", "green-magenta", "darkest", "brightest")


def tone(picture: Picture) -> Floats:
    """Mean and spread of luma, red less blue, green less the mean of both, and the levels of the
    darkest and brightest parts (6,), grey levels. Of areas of 8 x 8 pixels, so that noise and blur
    leave it alone."""
    rows, columns = picture.shape[0] // 8 * 8, picture.shape[1] // 8 * 8
    areas = picture[:rows, :columns].reshape(rows // 8, 8, columns // 8, 8, 3).mean((1, 3))
    red, green, blue = areas.mean((0, 1))
    grey = areas @ LUMA
    low, high = np.percentile(grey, (3, 97))
    return np.array(
        [grey.mean(), grey.std(), red - blue, green - (red + blue) / 2, low, high],
        dtype=np.float64,
    )


def grain(picture: Picture) -> tuple[float, float]:
    """Edge blur in pixels and noise in grey levels (both standard deviations of normal ones).

    An edge blurred by s has at scale t a gradient that goes with 1 / sqrt(s^2 + t^2): the quotient
    at scales 1 and 2 along strong edges gives s, whatever their contrast. Noise is the median
    response of a kernel that sees no planes, where there are no edges; it is taken from the
    gradients before they are compared. Blur is nan where edges do not stand out from the noise.
    """
    grey = picture @ LUMA
    fine, coarse = (ndimage.gaussian_gradient_magnitude(grey, scale) for scale in (1.0, 2.0))
    response = np.abs(ndimage.convolve(grey, NOISE_KERNEL))
    flat = coarse <= np.percentile(coarse, FLAT_PERCENTILE)
    noise = float(np.median(response[flat])) / 0.6745 / 6
    edges = coarse >= np.percentile(coarse, EDGE_PERCENTILE)
    spread = 2 * noise**2 / (8 * np.pi)
    if np.median(coarse[edges]) < CLEAR_EDGES * np.sqrt(spread / 16):
        return float("nan"), noise
    fine_squared = np.maximum(fine[edges] ** 2 - spread, 1e-6)
    coarse_squared = np.maximum(coarse[edges] ** 2 - spread / 16, 1e-6)
    quotient = float(np.median(fine_squared / coarse_squared))
    squared = (4 - quotient) / (quotient - 1) if quotient > 1 else MOST_BLUR_PX**2
    return float(np.sqrt(np.clip(squared, 0.0, MOST_BLUR_PX**2))), noise


def tones(crops: Crops) -> Floats:
    """``tone`` of every crop (C, 6)."""
    return np.array([tone(pixels) for pixels in crops.pixels]).reshape(-1, len(TONES))


def grains(crops: Crops) -> Floats:
    """``grain`` of every crop (C, 2): blur px, noise levels."""
    return np.array([grain(pixels) for pixels in crops.pixels]).reshape(-1, 2)


MOST_STEP: Final = 2.0
"""Grey levels: larger steps are edges of things, and count as no more than this."""


def blockiness(picture: Picture) -> float:
    """Logarithm of how much larger steps of grey are across the borders of JPEG's blocks than in
    their middle, where each is held against the steps beside it: 0 where there are no blocks, also
    in pictures that were made 2 or 4 times as large."""
    grey = picture @ LUMA
    ratios = []
    for lines in (grey, grey.T):
        step = np.diff(lines, axis=1)
        jump = np.abs(step[:, 1:-1] - (step[:, :-2] + step[:, 2:]) / 2)
        # jump[:, i] is between pixels i + 1 and i + 2.
        phase = (np.arange(jump.shape[1]) + 2) % BLOCK_PX
        mean = np.minimum(jump, MOST_STEP).mean(0)
        border, inside = mean[phase == 0], mean[phase == BLOCK_PX // 2]
        if len(border) and len(inside):
            # The median: a few lines along which something ends say nothing.
            ratios.append(np.log((np.median(border) + 0.2) / (np.median(inside) + 0.2)))
    return float(np.mean(ratios)) if ratios else float("nan")


def compressed(picture: Picture, quality: int) -> Picture:
    """The picture after JPEG of this quality (1 to 95)."""
    from PIL import Image

    buffer = io.BytesIO()
    pixels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.asarray(image, dtype=np.float32)


FLAT_SPREAD: Final = 0.5
"""Grey levels: a patch with less is of one colour. No keypoint of 75 people in photos of COCO lies
on one."""
FLAT_BOX: Final = 0.02
"""Of the box's diagonal: half the width of the patch about a keypoint that has to be flat."""


def covered(crops: Crops, labels: Labels) -> Floats:
    """Share (C,) of each person's labelled keypoints about which the picture is flat, as it is
    behind a patch of one colour; nan without any in the crop."""
    shares = np.full(len(crops.rows), np.nan)
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])
    for n, (row, pixels, corner) in enumerate(zip(crops.rows, crops.pixels, crops.corners)):
        grey = (pixels @ LUMA).astype(np.float64)
        points = np.floor(labels.points[row][labels.v[row] > 0] - corner).astype(int)
        inside = ((points >= 0) & (points < grey.shape[::-1])).all(1)
        if not inside.any():
            continue
        size = 2 * max(3, round(FLAT_BOX * diagonal[row])) + 1
        mean = ndimage.uniform_filter(grey, size)
        spread = np.sqrt(np.maximum(ndimage.uniform_filter(grey**2, size) - mean**2, 0.0))
        x, y = points[inside].T
        shares[n] = (spread[y, x] < FLAT_SPREAD).mean()
    return shares


def match_tone(picture: Picture, gain: Floats, offset: Floats) -> Picture:
    """Channels scaled and shifted, within 0..255."""
    return np.clip(picture * gain + offset, 0, 255).astype(np.float32)


def channel_means(crops: Crops) -> Floats:
    """Mean red, green and blue (C, 3)."""
    return np.array([pixels.mean((0, 1)) for pixels in crops.pixels]).reshape(-1, 3)


def blurred(picture: Picture, blur_px: float) -> Picture:
    """The picture behind a normal blur."""
    behind: Picture = ndimage.gaussian_filter(picture, (blur_px, blur_px, 0)).astype(np.float32)
    return behind


def noisy(picture: Picture, noise: float, seed: int) -> Picture:
    """The picture with so much more normal noise, in grey levels of luma: the channels' own noise
    is as much larger as their weighted sum is quieter."""
    own = noise / float(np.linalg.norm(LUMA))
    added = np.random.default_rng(seed).normal(scale=own, size=picture.shape)
    return np.clip(picture + added, 0, 255).astype(np.float32)


FEATURE_KINDS: Final = ("colour", "layout of light", "edges and their directions", "detail")


def features(crops: Crops) -> tuple[Floats, Ints]:
    """A vector (C, d) for each crop, and the number of each feature's kind (d,).

    Colour: means and spreads of six fields; layout: a coarse thumbnail of grey, itself centred;
    edges: histograms of gradient directions in cells; detail: blur, noise and the spectrum's
    power by octave, logarithmic.
    """
    vectors = [_feature(pixels) for pixels in crops.pixels]
    kinds = np.concatenate([np.full(len(part), n) for n, part in enumerate(vectors[0])])
    return np.array([np.concatenate(parts) for parts in vectors]), kinds


def _feature(picture: Picture) -> tuple[Floats, Floats, Floats, Floats]:
    from PIL import Image

    image = Image.fromarray(picture.astype(np.uint8))
    small = np.asarray(image.resize(THUMB[::-1], Image.Resampling.BOX), dtype=np.float64)
    fields = small.reshape(3, THUMB[0] // 3, 2, THUMB[1] // 2, 3)
    colour = np.concatenate([fields.mean((1, 3)).ravel(), fields.std((1, 3)).ravel()])
    grey = small @ LUMA
    cells = grey.reshape(THUMB[0] // 6, 6, THUMB[1] // 6, 6).mean((1, 3))
    dy, dx = np.gradient(grey)
    strength, direction = np.hypot(dx, dy), np.mod(np.arctan2(dy, dx), np.pi)
    bins = np.minimum((direction / np.pi * 8).astype(int), 7)
    histograms = np.stack([np.where(bins == n, strength, 0.0) for n in range(8)], axis=-1)
    cut = histograms.reshape(THUMB[0] // CELL, CELL, THUMB[1] // CELL, CELL, 8).sum((1, 3))
    edges = np.sqrt(cut / (cut.sum() + 1e-9))
    blur, noise = grain(picture)
    detail = np.array(
        [np.log(np.nan_to_num(blur) + 0.3), np.log(noise + 0.5), *_octaves(picture @ LUMA)]
    )
    return colour, (cells - cells.mean()).ravel(), edges.ravel(), detail


def _octaves(grey: NDArray[np.float32]) -> Floats:
    """Logarithm of the power in the octaves 1/4..1/2, 1/8..1/4, 1/16..1/8 of the sampling rate."""
    window = np.hanning(grey.shape[0])[:, None] * np.hanning(grey.shape[1])
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2 / window.sum() ** 2
    fy, fx = np.fft.fftfreq(grey.shape[0])[:, None], np.fft.rfftfreq(grey.shape[1])
    frequency = np.hypot(fy, fx)
    return np.array(
        [
            np.log(power[(frequency >= low) & (frequency < 2 * low)].sum() + 1e-3)
            for low in (0.25, 0.125, 0.0625)
        ]
    )
