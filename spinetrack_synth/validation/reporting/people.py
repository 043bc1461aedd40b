"""An annotation as a person to draw: points, box, mask, the fitted body, what findings mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.drawing.person import Links, Person, links_between, stated_links
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Finding
from spinetrack_synth.validation.mask_shapes import masks_of

MOST_PIXELS: Final = 1e8
"""Of a mask that is decoded for a card."""


def person_of(dataset: Dataset, row: int, findings: Sequence[Finding]) -> Person:
    """The annotation in this row with what its findings say: the mask where one is about it, the
    first body that was fitted, the keypoints that they name."""
    points = dataset.keypoints[row]
    category = int(dataset.category_row[row])
    names = dataset.trusted_names[category] if category >= 0 else None
    written = (dataset.names[category] if category >= 0 else None) or ()
    fitted = next((f.fitted for f in findings if f.fitted is not None), None)
    parts = {finding.key.partition("/")[2] for finding in findings}
    return Person(
        points=points[:, :2],
        v=np.where(dataset.labelled[row], points[:, 2], 0),
        names=(*(names or ()), *[""] * len(points))[: len(points)],
        links=_links(dataset, category, len(points)),
        box=dataset.boxes[row],
        mask=_mask(dataset, row) if any(".segmentation" in f.place for f in findings) else None,
        fitted=None if fitted is None else np.asarray(fitted, dtype=float),
        ringed=[index for index, name in enumerate(written[: len(points)]) if name in parts],
    )


def _mask(dataset: Dataset, row: int) -> NDArray[np.bool_] | None:
    """The annotation's mask (H, W); None where it cannot be decoded, or not in reasonable time."""
    masks = masks_of(dataset)
    size = dataset.sizes[row] if np.isnan(masks.size[row]).any() else masks.size[row]
    extent = np.abs(masks.box[row]).max()
    if row in masks.problems or not (size.prod() < MOST_PIXELS and extent <= 2 * size.max()):
        return None
    from pycocotools import mask as coco_mask

    written = dataset.annotations[row]["segmentation"]
    if isinstance(written, list) or isinstance(written["counts"], list):
        written = coco_mask.frPyObjects(written, int(size[1]), int(size[0]))
    decoded = coco_mask.decode(written)
    mask: NDArray[np.bool_] = decoded.reshape(*decoded.shape[:2], -1).any(axis=2)
    return mask


def _links(dataset: Dataset, category: int, count: int) -> Links:
    """The lines to draw: those of the known skeleton, or of the category."""
    known = dataset.known_skeleton[category] if category >= 0 else None
    trusted = dataset.trusted_names[category] if category >= 0 else None
    if known and trusted:
        return links_between(trusted)
    stated = dataset.categories[category].get("skeleton") if category >= 0 else None
    return stated_links(stated, count)
