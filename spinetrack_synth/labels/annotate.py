"""From a shot and its frame to one label a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from scipy import ndimage

from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.labels.cover import Cover, covering
from spinetrack_synth.labels.visibility import OUTSIDE, visibility
from spinetrack_synth.shot import Frame, Shot

MIN_MASK_PX: Final = 64
"""People of whom fewer pixels are seen get no label: nobody could point at them."""

STRAY_PX: Final = 2
"""So few pixels apart from the rest of a person are none of theirs: a ray slips between two faces
of what is before them, and would draw the box out to there."""

DECIMALS: Final = 3
"""Keypoints are rounded to a thousandth of a pixel, far below what a camera resolves."""


@dataclass(frozen=True)
class PersonLabel:
    """What is known about one person in one picture.

    ``person_id`` the person's number in the frame's ids; ``keypoints`` (37, 3): x, y in pixels and
    v (2 seen, 1 hidden, 0 outside with x = y = 0); ``box`` (x, y, width, height) in pixels, tight
    around the mask; ``area`` of the mask in pixels; ``mask`` COCO's compressed RLE; ``cover`` what
    is in front of the keypoints.
    """

    person_id: int
    keypoints: NDArray[np.float64]
    box: tuple[int, int, int, int]
    area: int
    mask: dict[str, object]
    cover: Cover

    @property
    def num_keypoints(self) -> int:
        """How many keypoints lie in the picture, seen or hidden."""
        return int((self.keypoints[:, 2] > OUTSIDE).sum())


def annotate(shot: Shot, frame: Frame) -> tuple[PersonLabel, ...]:
    """Label everyone in a frame of whom at least ``MIN_MASK_PX`` pixels are seen."""
    camera = shot.camera
    labels = []
    for person_id, person in enumerate(shot.people, start=1):
        mask = _without_strays(frame.ids == person_id)
        area = int(np.count_nonzero(mask))
        if area < MIN_MASK_PX:
            continue
        pixels = camera.project(person.keypoints_world).round(DECIMALS)
        sight = visibility(frame, camera, person, person_id, pixels, fullbody().bodies)
        pixels[sight.v == OUTSIDE] = 0.0
        labels.append(
            PersonLabel(
                person_id=person_id,
                keypoints=np.column_stack([pixels, sight.v]),
                box=_tight_box(mask),
                area=area,
                mask=_encode_mask(mask),
                cover=covering(shot, frame, person_id, sight),
            )
        )
    return tuple(labels)


def _without_strays(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask without its parts of ``STRAY_PX`` pixels at most."""
    if not mask.any():
        return mask
    x, y, width, height = _tight_box(mask)
    window = np.s_[y : y + height, x : x + width]
    parts, _ = ndimage.label(mask[window], np.ones((3, 3)))
    kept = mask.copy()
    kept[window] &= (np.bincount(parts.ravel()) > STRAY_PX)[parts]
    return kept


def _tight_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def _encode_mask(mask: NDArray[np.bool_]) -> dict[str, object]:
    encoded = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode()}
