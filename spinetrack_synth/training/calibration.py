"""Crops of people for the ranges of 8-bit networks, as the runner cuts them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.listing import read_boxes
from spinetrack_synth.coco.picture_paths import pictures_root
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.crops import RAW, crop_frames, cut
from spinetrack_synth.spinepose.image_files import read_recorded

PEOPLE: Final = 128
"""More change the ranges little."""


def read_crops(
    annotations: Path, images: Path | None, input_hw: tuple[int, int], count: int = PEOPLE
) -> NDArray[np.uint8]:
    """Crops (N, H, W, 3) RGB of at most ``count`` people of a COCO file, from its first picture to
    its last; ``images`` is the folder of its pictures where that is not beside it. Raises UserError
    where the file has no people or a picture is not there."""
    listing = read_boxes(annotations)
    people = [(picture, box) for picture in listing.pictures.values() for box in picture.boxes_xywh]
    if not people:
        raise UserError(f"{annotations}: has no people with boxes, of whom to cut crops")
    root = pictures_root(annotations) if images is None else images
    chosen = np.unique(np.linspace(0, len(people) - 1, min(count, len(people))).astype(int))
    crops = np.empty((len(chosen), *input_hw, 3), np.uint8)
    planes = np.empty((3, *input_hw), np.float32)
    for crop, number in zip(crops, chosen):
        picture, box = people[number]
        image, _ = read_recorded(root / picture.file_name, picture.size_wh)
        frame = crop_frames(box, input_hw)[0]
        cut(image, frame, planes, normalisation=RAW, image_order="bgr")
        crop[...] = planes.round().transpose(1, 2, 0)
    return crops
