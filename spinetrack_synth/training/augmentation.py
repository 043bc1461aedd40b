"""Augmentation: the same person seen otherwise, by random numbers that come from outside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.spinepose.image_files import opencv

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Pair = tuple[float, float]

LOWER: Final = np.array(
    [
        name in ("hip", "spine_01", "spine_02")
        or name.partition("_")[2] in ("hip", "knee", "ankle", "big_toe", "small_toe", "heel")
        for name in skeleton.NAMES
    ]
)
"""Which keypoints (37,) are below the middle of the body."""

HALF_BODY_LEAST: Final = 4
HALF_BODY_PADDING: Final = 1.5
HALF_BODY_ZOOM: Final = 2.5
"""Of a half with so many labelled points a crop is made, so much larger than they spread (mmpose's
``RandomHalfBody``: 1.5), enlarged by that at most, since the cache has no more pixels."""

FRAME_ENDS: Final = ((1, 1, 0.5), (1, -1, 0.1), (0, 1, 0.2), (0, -1, 0.2))
"""Axis (0: x), side and share of where a photo's frame cuts a person off: mostly below."""
FRAME_LEAST: Final = 0.3
"""Of a person's extent so much is left at least."""
FRAME_FAR_PX: Final = 1e4
"""How far a frame goes where it does not cut."""

LUMA: Final = np.array([0.114, 0.587, 0.299])
"""Of blue, green, red (BT.601)."""

MIRROR: Final = np.array(skeleton.MIRROR)


@dataclass(frozen=True)
class AugmentationConfig:
    """What may happen to a person's crop, and how often: each has its own probability.

    ``mirror``; ``rotation`` by up to ``rotation_deg`` either way; ``scale`` by a factor within
    ``scale_range``; ``shift`` by up to ``shift_share`` of the crop's sides; ``truncation`` has the
    photo end within the person, whose keypoints beyond its frame stay labelled; ``half_body`` crops
    upper or lower half; ``colour`` changes contrast and saturation by up to ``colour_share``,
    brightness and each colour by half of that; ``grey``; ``blur``, of lens or motion, by up to
    ``blur_px``; ``noise`` of up to ``noise_levels`` (of 255); ``jpeg`` of a quality within
    ``jpeg_quality``; ``low_resolution`` by a factor down to ``lowest_resolution``; ``cut_out``
    covers one to three rectangles, whose sides are within ``cut_out_share`` of the crop's.
    """

    mirror: float = 0.5
    rotation: float = 0.6
    rotation_deg: float = 40.0
    scale: float = 0.8
    scale_range: Pair = (0.75, 1.3)
    shift: float = 0.5
    shift_share: float = 0.08
    truncation: float = 0.1
    half_body: float = 0.1
    colour: float = 0.8
    colour_share: float = 0.3
    grey: float = 0.1
    blur: float = 0.15
    blur_px: float = 1.5
    noise: float = 0.2
    noise_levels: float = 14.0
    jpeg: float = 0.2
    jpeg_quality: tuple[int, int] = (25, 85)
    low_resolution: float = 0.15
    lowest_resolution: float = 0.3
    cut_out: float = 0.3
    cut_out_share: Pair = (0.1, 0.35)

    def __post_init__(self) -> None:
        for name in PROBABILITIES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 to 1")
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            low, high = value if isinstance(value, tuple) else (value, value)
            if not least <= low <= high <= most:
                pair = " <= ".join(("first", "second")) + ", " if isinstance(value, tuple) else ""
                raise ValueError(f"{name} is {value}, expected {pair}{least:g} to {most:g}")


PROBABILITIES: Final = (
    "mirror", "rotation", "scale", "shift", "truncation", "half_body", "colour", "grey", "blur",
    "noise", "jpeg", "low_resolution", "cut_out",
)  # fmt: skip
LIMITS: Final[dict[str, Pair]] = {
    "rotation_deg": (0, 180), "scale_range": (0.2, 5), "shift_share": (0, 0.5),
    "colour_share": (0, 1), "blur_px": (0, 20), "noise_levels": (0, 255), "jpeg_quality": (1, 100),
    "lowest_resolution": (0.02, 1), "cut_out_share": (0, 1),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class View:
    """How a network's crop is looked at: ``to_view`` (2, 3), from its pixels to those of the
    picture that is made, whether that is mirrored in the end, and the corners (4, 2) of the photo's
    ``frame`` in the crop's pixels, where that cuts the person off."""

    to_view: Floats
    mirrored: bool
    frame: Floats | None = None

    def matrix(self, to_crop: Floats, width: int) -> Floats:
        """The whole way (2, 3) from pixels that ``to_crop`` (2, 3) takes to the network's crop."""
        whole = _then(to_crop, self.to_view)
        if self.mirrored:
            whole = _then(whole, np.array([[-1.0, 0, width - 1], [0, 1, 0]]))
        return whole

    def points(self, points: Floats, width: int) -> Floats:
        """Keypoints (37, 2) of the crop in the view; mirrored, left is right."""
        matrix = self.matrix(IDENTITY, width)
        seen: Floats = points @ matrix[:, :2].T + matrix[:, 2]
        return seen[MIRROR] if self.mirrored else seen

    def flags(self, labelled: Bools) -> Bools:
        """Which keypoints (37,) of the view are labelled."""
        return labelled[MIRROR] if self.mirrored else labelled

    def framed(self, image: Bytes) -> Bytes:
        """The picture of the view, black beyond the photo's frame."""
        if self.frame is None:
            return image
        matrix = self.matrix(IDENTITY, image.shape[1])
        corners = self.frame @ matrix[:, :2].T + matrix[:, 2]
        within = np.zeros(image.shape[:2], np.uint8)
        opencv().fillConvexPoly(within, np.rint(corners).astype(np.int32), 1)
        return image * within[..., None]


IDENTITY: Final = np.array([[1.0, 0, 0], [0, 1, 0]])
AS_IT_IS: Final = View(IDENTITY, mirrored=False)


def _then(first: Floats, second: Floats) -> Floats:
    """The affine map (2, 3) that does one after the other."""
    whole = np.empty((2, 3))
    whole[:, :2] = second[:, :2] @ first[:, :2]
    whole[:, 2] = second[:, :2] @ first[:, 2] + second[:, 2]
    return whole


def random_view(
    config: AugmentationConfig,
    rng: Generator,
    points: Floats,
    labelled: Bools,
    input_hw: tuple[int, int],
) -> View:
    """Another view of a crop with these keypoints (37, 2), in its pixels."""
    size = np.array([input_hw[1], input_hw[0]], float)
    middle, zoom, frame = size / 2, 1.0, None
    if rng.random() < config.truncation:
        middle, zoom, frame = _truncated(rng, points, labelled, size)
    if rng.random() < config.half_body and frame is None:
        middle, zoom = _half_body(rng, points, labelled, size)
    angle, shift = 0.0, np.zeros(2)
    if rng.random() < config.rotation:
        angle = math.radians(rng.uniform(-1, 1) * config.rotation_deg)
    if rng.random() < config.scale:
        low, high = np.log(config.scale_range)
        zoom *= math.exp(rng.uniform(low, high))
    if rng.random() < config.shift:
        shift = rng.uniform(-config.shift_share, config.shift_share, 2) * size
    turn = zoom * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    to_view = np.column_stack([turn, size / 2 + shift - turn @ middle])
    return View(to_view, bool(rng.random() < config.mirror), frame)


def _truncated(
    rng: Generator, points: Floats, labelled: Bools, size: Floats
) -> tuple[Floats, float, Floats | None]:
    """Middle and enlargement of what a photo shows of a person whom its frame cuts off, and the
    frame's corners (4, 2); all of the person, and no frame, where too little would be left."""
    axis, side, _ = FRAME_ENDS[rng.choice(len(FRAME_ENDS), p=[share for *_, share in FRAME_ENDS])]
    along, share = side * points[:, axis], rng.uniform(FRAME_LEAST, 1)
    low, high = np.quantile(along[labelled], (0, 1)) if labelled.any() else (0, 0)
    end = low + share * (high - low)
    kept = labelled & (along <= end)
    if kept.sum() < HALF_BODY_LEAST:
        return size / 2, 1.0, None
    box = np.array([points[kept].min(0), points[kept].max(0)])
    frame = np.array([[-FRAME_FAR_PX] * 2, [FRAME_FAR_PX] * 2])
    box[max(side, 0), axis] = frame[max(side, 0), axis] = side * end
    (left, top), (right, bottom) = frame
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return *_close_up(*box, size), corners


def _half_body(
    rng: Generator, points: Floats, labelled: Bools, size: Floats
) -> tuple[Floats, float]:
    """Middle and enlargement of the upper or the lower half; all where too little is labelled."""
    half = labelled & (LOWER if rng.random() < 0.5 else ~LOWER)
    if half.sum() < HALF_BODY_LEAST:
        return size / 2, 1.0
    return _close_up(points[half].min(0), points[half].max(0), size)


def _close_up(low: Floats, high: Floats, size: Floats) -> tuple[Floats, float]:
    """Middle and enlargement of a crop of what spreads from ``low`` to ``high`` (2,)."""
    zoom = float((size / (HALF_BODY_PADDING * (high - low).clip(1.0))).min())
    return (low + high) / 2, min(max(zoom, 1.0), HALF_BODY_ZOOM)


def warped(image: Bytes, matrix: Floats, size_hw: tuple[int, int]) -> Bytes:
    """An image moved by ``matrix`` (2, 3): bilinear, black beyond its border."""
    cv2 = opencv()
    return np.asarray(
        cv2.warpAffine(image, matrix, (size_hw[1], size_hw[0]), flags=cv2.INTER_LINEAR), np.uint8
    )


def altered(config: AugmentationConfig, rng: Generator, image: Bytes) -> Bytes:
    """The picture (H, W, 3) BGR as another camera and file would have it, partly covered."""
    if rng.random() < config.cut_out:
        _cut_out(config, rng, image)
    if rng.random() < config.blur:
        image = _blurred(config, rng, image)
    if rng.random() < config.low_resolution:
        image = _low_resolution(config, rng, image)
    coloured, grey = rng.random() < config.colour, rng.random() < config.grey
    if coloured or grey:
        image = _recoloured(config.colour_share if coloured else 0.0, grey, rng, image)
    if rng.random() < config.noise:
        image = _noisy(config, rng, image)
    if rng.random() < config.jpeg:
        image = _compressed(config, rng, image)
    return image


def _cut_out(config: AugmentationConfig, rng: Generator, image: Bytes) -> None:
    """Cover rectangles with a colour, or with another place of the same picture."""
    size = np.array(image.shape[:2])
    for _ in range(rng.integers(1, 4)):
        sides = (rng.uniform(*config.cut_out_share, 2) * size).astype(int).clip(1)
        y, x = rng.integers(0, size - sides + 1)
        from_y, from_x = rng.integers(0, size - sides + 1)
        patch = image[from_y : from_y + sides[0], from_x : from_x + sides[1]].copy()
        colour = rng.integers(0, 256, 3)
        image[y : y + sides[0], x : x + sides[1]] = patch if rng.random() < 0.5 else colour


def _blurred(config: AugmentationConfig, rng: Generator, image: Bytes) -> Bytes:
    cv2 = opencv()
    sigma = rng.uniform(0.3, 1.0) * config.blur_px
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma, 0.05)), np.uint8)
    # A line of the same spread: its deviation is its length over the root of 12.
    reach = max(1, math.ceil(sigma * math.sqrt(3)))
    direction = rng.uniform(0, math.pi)
    end = np.array([math.cos(direction), math.sin(direction)]) * sigma * math.sqrt(3)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    start = ((reach - end) * 16).astype(int).tolist()
    stop = ((reach + end) * 16).astype(int).tolist()
    cv2.line(kernel, start, stop, 1.0, 1, cv2.LINE_8, 4)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _low_resolution(config: AugmentationConfig, rng: Generator, image: Bytes) -> Bytes:
    cv2 = opencv()
    height, width = image.shape[:2]
    factor = math.exp(rng.uniform(math.log(config.lowest_resolution), 0))
    small = (max(round(width * factor), 1), max(round(height * factor), 1))
    way = cv2.INTER_AREA if rng.random() < 0.5 else cv2.INTER_LINEAR
    less = cv2.resize(image, small, interpolation=way)
    return np.asarray(cv2.resize(less, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _recoloured(share: float, grey: bool, rng: Generator, image: Bytes) -> Bytes:
    """Saturation, contrast, brightness and balance of colours, as one map of BGR to BGR."""
    contrast, saturation = 1 + rng.uniform(-share, share, 2)
    balance = 1 + rng.uniform(-share, share, 3) / 2
    brightness = 255 * rng.uniform(-share, share) / 2
    if grey:
        saturation, balance = 0.0, np.ones(3)
    mix = saturation * np.eye(3) + (1 - saturation) * LUMA
    matrix = contrast * balance[:, None] * mix
    middle = image[::8, ::8].mean()  # contrast is about the picture's own level
    offset = middle * (1 - contrast) + brightness
    return np.asarray(
        opencv().transform(image, np.column_stack([matrix, np.full(3, offset)])), np.uint8
    )


@cache
def _noise() -> NDArray[np.float32]:
    """A long row of normal deviates: to draw fresh ones costs more than all the rest."""
    return np.random.default_rng(0).standard_normal(2**20, dtype=np.float32)


def _noisy(config: AugmentationConfig, rng: Generator, image: Bytes) -> Bytes:
    sigma = rng.uniform(0.1, 1.0) * config.noise_levels
    row = _noise()
    start = int(rng.integers(0, max(len(row) - image.size, 0) + 1))
    noise = np.resize(row[start : start + image.size], image.shape) * np.float32(sigma)
    cv2 = opencv()
    return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)


def _compressed(config: AugmentationConfig, rng: Generator, image: Bytes) -> Bytes:
    cv2 = opencv()
    low, high = config.jpeg_quality
    content = cv2.imencode(
        ".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(low, high + 1))]
    )[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
