"""Crops of people, cut out once with a margin and kept near the network's resolution."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose.crops import crop_frames
from spinetrack_synth.spinepose.image_files import opencv, read_recorded
from spinetrack_synth.training.picture_store import (
    PART,
    Entry,
    PictureStore,
    Progress,
    all_cores,
    fingerprints,
)
from spinetrack_synth.training.sources import Source

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

MARGIN: Final = 1.5
"""Side of the square that is kept, over the longer side of the network's crop: it holds the crop
turned by any angle, and zoomed out to two thirds."""

JPEG_QUALITY: Final = 95
FORMAT: Final = 1
"""Of the cache; another number makes all caches anew."""

IMAGE, MASK, PLACE = range(3)
"""The fields of an entry: JPEG, PNG (empty where there is no mask), and three float64: x and y in
the picture of the crop's first pixel, and picture pixels for one of its pixels."""


@dataclass(frozen=True, eq=False)
class Crop:
    """What the cache has of a person.

    ``image`` (h, w, 3) BGR; ``mask`` (h, w), 255 where the person is seen, or None;
    ``to_network`` (2, 3), from its pixels to those of the network's crop, integers being pixel
    centres in both; ``points`` (37, 2), the keypoints in pixels of the network's crop.
    """

    image: Bytes
    mask: Bytes | None
    to_network: Floats
    points: Floats


@dataclass(frozen=True, eq=False)
class CropCache:
    """The crops of a source's people for networks that see ``input_hw``; ``frames`` (N, 3) are
    their crops in the picture, as in ``spinepose.crops``. Processes may share it."""

    source: Source
    input_hw: tuple[int, int]
    store: PictureStore
    frames: Floats

    def __len__(self) -> int:
        return len(self.source)

    def crop(self, person: int, *, with_mask: bool = False) -> Crop:
        """A person's crop, with the mask where that is asked for and there is one."""
        cv2 = opencv()
        image = cv2.imdecode(self.store.read(person, IMAGE), cv2.IMREAD_COLOR)
        mask = self.store.read(person, MASK) if with_mask else np.empty(0, np.uint8)
        x, y, step = self.store.read(person, PLACE).view("<f8")
        left, top, scale = self.frames[person]
        to_network = np.array([[step, 0, x - left], [0, step, y - top]]) / scale
        return Crop(
            image=image,
            mask=cv2.imdecode(mask, cv2.IMREAD_GRAYSCALE) if len(mask) else None,
            to_network=to_network,
            points=(self.source.points[person] - [left, top]) / scale,
        )


def open_cache(
    source: Source, folder: Path, input_hw: tuple[int, int], progress: Progress | None = None
) -> CropCache:
    """The crops of a source in a folder, made where they are missing; ``progress`` is told how many
    of how many are there.

    The same pictures, boxes and masks find the same crops again, whatever becomes of labels and
    file names. Several processes may call: one makes them, the others wait. Raises UserError that
    names a picture which is missing or cannot be read; what is done by then stays.
    """
    frames = crop_frames(source.boxes_xywh, input_hw)
    store = PictureStore(folder / _key(source, input_hw), len(source), 3)

    def entries(rows: range) -> Iterable[Entry]:
        return _entries(source, frames, input_hw, rows)

    store.make(entries, progress)
    light = replace(source, segmentations=(None,) * len(source))  # the masks are in the store
    return CropCache(light, input_hw, store, frames)


def _key(source: Source, input_hw: tuple[int, int]) -> str:
    """What the crops depend on, as 32 hexadecimal digits."""
    digest = hashlib.sha256()
    digest.update(json.dumps([FORMAT, PART, MARGIN, JPEG_QUALITY, *input_hw]).encode())
    digest.update(source.boxes_xywh.astype("<f8").tobytes())
    digest.update(source.picture.astype("<i8").tobytes())
    digest.update(json.dumps([source.sizes_wh, source.segmentations], default=str).encode())
    for fingerprint in fingerprints(source.pictures):
        digest.update(fingerprint)
    return digest.hexdigest()[:32]


def _entries(
    source: Source, frames: Floats, input_hw: tuple[int, int], rows: range
) -> Iterator[Entry]:
    """The entries of some people, who are sorted by picture."""

    def of_picture(people: list[int]) -> list[Entry]:
        number = int(source.picture[people[0]])
        picture, _ = read_recorded(source.pictures[number], source.sizes_wh[number])
        return [_entry(picture, source.segmentations[one], frames[one], input_hw) for one in people]

    groups = [list(group) for _, group in groupby(rows, key=lambda row: source.picture[row])]
    with all_cores() as threads:
        for entries in threads.map(of_picture, groups):
            yield from entries


def _entry(picture: Bytes, segmentation: Any, frame: Floats, input_hw: tuple[int, int]) -> Entry:
    cv2 = opencv()
    region = _region(frame, input_hw, (picture.shape[1], picture.shape[0]))
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    image = cv2.imencode(".jpg", region.of(picture), quality)[1].tobytes()
    mask = _mask(segmentation, picture.shape[:2])
    content = b"" if mask is None else cv2.imencode(".png", region.of(mask))[1].tobytes()
    return image, content, np.array([*region.corner, region.step], "<f8").tobytes()


@dataclass(frozen=True)
class _Region:
    """What is kept of a picture: its first pixel's centre, picture pixels a pixel, and size."""

    corner: tuple[float, float]
    step: float
    size_wh: tuple[int, int]

    def of(self, picture: Bytes) -> Bytes:
        """The region of a picture: as it is, or smaller by the same rule as in inference."""
        cv2 = opencv()
        (x, y), (width, height), step = self.corner, self.size_wh, self.step
        if step == 1:
            return picture[int(y) : int(y) + height, int(x) : int(x) + width]
        back = np.array([[1 / step, 0, -x / step], [0, 1 / step, -y / step]])
        return np.asarray(cv2.warpAffine(picture, back, self.size_wh, flags=cv2.INTER_LINEAR))


def _region(frame: Floats, input_hw: tuple[int, int], size_wh: tuple[int, int]) -> _Region:
    """The square around a crop, as far as there is picture.

    Where the network sees fewer pixels than the picture has, the region's grid is the network's
    own, continued; else the picture's pixels are kept as they are.
    """
    corner, scale = frame[:2], float(frame[2])
    sides = np.array([input_hw[1], input_hw[0]])
    margin = (MARGIN * sides.max() - sides) / 2
    if scale > 1:
        low = np.maximum(np.ceil(-margin), np.ceil((-1 - corner) / scale))
        high = np.minimum(np.floor(sides - 1 + margin), np.floor((size_wh - corner) / scale))
        step, start = scale, corner + scale * low
        size = high - low + 1
    else:
        low = np.maximum(np.floor(corner - margin * scale), 0)
        high = np.minimum(np.ceil(corner + (sides + margin) * scale), size_wh)
        low = np.minimum(low, np.array(size_wh) - 1)
        step, start = 1.0, low
        size = high - low
    width, height = np.maximum(size, 1).astype(int).tolist()
    return _Region((float(start[0]), float(start[1])), step, (width, height))


def _mask(segmentation: Any, size_hw: tuple[int, ...]) -> Bytes | None:
    """A COCO mask (H, W) of 0 and 255 in a picture of that size; None where there is none that can
    be read, or only of another size."""
    from pycocotools import mask as coco_mask

    try:
        written = segmentation
        if isinstance(written, list) or isinstance(written["counts"], list):
            written = coco_mask.frPyObjects(written, int(size_hw[0]), int(size_hw[1]))
        decoded = coco_mask.decode(written)
    except Exception:  # pycocotools raises what it likes at masks that are none
        return None
    mask = decoded.reshape(*decoded.shape[:2], -1).any(axis=2)
    if mask.shape != tuple(size_hw) or not mask.any():
        return None
    return np.where(mask, np.uint8(255), np.uint8(0))
