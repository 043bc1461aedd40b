"""Exchange of backgrounds: people cut out by their masks, set before the user's own photographs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from spinetrack_synth.spinepose.image_files import opencv
from spinetrack_synth.training.picture_store import (
    Entry,
    PictureStore,
    Progress,
    all_cores,
    fingerprints,
)

Bytes = NDArray[np.uint8]

KEPT: Final = 1.4
"""Shorter side of a photograph that is kept, over the longer side of the network's crop."""
SMALLEST_WINDOW: Final = 0.5
"""Side of the smallest window of a photograph, over that of the largest."""
JPEG_QUALITY: Final = 92
FORMAT: Final = 1

CHOKE: Final = 0.2
"""What is taken off the softened edge of a mask: the old background shines through there."""
SOFTNESS_PX: Final = (0.5, 1.2)
LEAST_SHOWN: Final = 0.75
NEAR_PX: Final = 4
"""Who has a smaller share of the keypoints on the mask, or so near to it, stays where they are:
without what covers the others, nothing would tell where they are."""
MOST_GAIN: Final = 1.4


@dataclass(frozen=True)
class BackgroundConfig:
    """The folder of ``photos`` with their ``licence``, how often (``probability``) a person with a
    mask is set before one, and how often (``match_colour``) colours are then drawn towards those of
    the photo."""

    photos: Path
    probability: float = 0.5
    match_colour: float = 0.5
    licence: str = ""

    def __post_init__(self) -> None:
        for name in ("probability", "match_colour"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 to 1")


@dataclass(frozen=True, eq=False)
class Backgrounds:
    """Photographs, small enough to be read at every step. Processes may share them."""

    config: BackgroundConfig
    store: PictureStore

    def __len__(self) -> int:
        return self.store.count

    def window(self, rng: Generator, size_hw: tuple[int, int]) -> Bytes:
        """A place of one of the photographs, BGR, as it is or mirrored."""
        cv2 = opencv()
        content = self.store.read(int(rng.integers(len(self))), 0)
        photo = cv2.imdecode(content, cv2.IMREAD_COLOR)
        height, width = photo.shape[:2]
        largest = min(height / size_hw[0], width / size_hw[1])
        zoom = largest * rng.uniform(SMALLEST_WINDOW, 1)
        sides = (np.array(size_hw) * zoom).astype(int).clip(1)
        y, x = rng.integers(0, np.array([height, width]) - sides + 1)
        cut = photo[y : y + sides[0], x : x + sides[1]]
        if rng.random() < 0.5:
            cut = cut[:, ::-1]
        way = cv2.INTER_AREA if zoom > 1.5 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(cut, size_hw[::-1], interpolation=way), np.uint8)


def photos_of(config: BackgroundConfig) -> list[Path]:
    """The photographs of a folder and those below it. Raises UserError where there are none."""
    # Not above: that room brings scenes and bodies along, which workers would load for nothing.
    from spinetrack_synth.backgrounds.files import PHOTO_SUFFIXES, files_in

    return list(files_in(config.photos, PHOTO_SUFFIXES, "photographs").values())


def open_backgrounds(
    config: BackgroundConfig,
    paths: Sequence[Path],
    folder: Path,
    input_hw: tuple[int, int],
    progress: Progress | None = None,
) -> Backgrounds:
    """Photographs, made small in a cache ``folder`` where they are not yet.

    Raises UserError where one cannot be read as a picture.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, KEPT, JPEG_QUALITY, max(input_hw)]).encode())
    for fingerprint in fingerprints(paths):
        digest.update(fingerprint)
    store = PictureStore(folder / digest.hexdigest()[:32], len(paths), 1)
    least = round(KEPT * max(input_hw))

    def entries(rows: range) -> Iterator[Entry]:
        with all_cores() as threads:
            yield from threads.map(lambda row: [_small(paths[row], least)], rows)

    store.make(entries, progress)
    return Backgrounds(config, store)


def _small(path: Path, least: int) -> bytes:
    """A photograph as JPEG, its shorter side brought to ``least`` where it is longer."""
    from spinetrack_synth.backgrounds.files import read_photo

    cv2 = opencv()
    photo = read_photo(path)[..., ::-1]
    factor = least / min(photo.shape[:2])
    if factor < 1:
        size = (round(photo.shape[1] * factor), round(photo.shape[0] * factor))
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    return bytes(cv2.imencode(".jpg", np.ascontiguousarray(photo), quality)[1].tobytes())


def shows_enough(mask: Bytes, points: NDArray[np.float64]) -> bool:
    """Whether most of these keypoints (P, 2), in pixels of the mask, lie on the person it shows."""
    if not len(points):
        return False
    near = opencv().dilate(mask, np.ones((2 * NEAR_PX + 1,) * 2, np.uint8))
    x, y = points.round().astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    return bool((near[y[inside], x[inside]] > 127).sum() >= LEAST_SHOWN * len(points))


def exchanged(
    image: Bytes, mask: Bytes, extent: Bytes, backgrounds: Backgrounds, rng: Generator
) -> Bytes:
    """The person of an image (H, W, 3) BGR, where its mask (H, W) is 255, before another
    background; beyond the picture's ``extent`` (H, W) it stays black, as where people are cut off
    by the border."""
    cv2 = opencv()
    behind = backgrounds.window(rng, image.shape[:2])
    if rng.random() < backgrounds.config.match_colour:
        image = _towards(image, mask, behind, rng.uniform(0.2, 0.7))
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(*SOFTNESS_PX)).astype(np.float32)
    alpha = ((soft / 255 - CHOKE) / (1 - CHOKE)).clip(0, 1)
    whole = np.asarray(cv2.blendLinear(image, behind, alpha, 1 - alpha), np.uint8)
    whole[extent < 128] = 0
    return whole


def _towards(image: Bytes, mask: Bytes, behind: Bytes, share: float) -> Bytes:
    """The image with the person's mean and spread of each colour moved by a share of the way to
    those of what is behind."""
    cv2 = opencv()
    seen = (mask > 127).astype(np.uint8)
    if not seen.any():
        return image
    mean, spread = (each[:, 0] for each in cv2.meanStdDev(image, mask=seen))
    goal, goal_spread = (each[:, 0] for each in cv2.meanStdDev(behind))
    gain = ((goal_spread + 5) / (spread + 5)) ** share
    gain = gain.clip(1 / MOST_GAIN, MOST_GAIN)
    level = mean + share / 2 * (goal - mean)
    matrix = np.column_stack([np.diag(gain), level - gain * mean])
    return np.asarray(cv2.transform(image, matrix), np.uint8)
