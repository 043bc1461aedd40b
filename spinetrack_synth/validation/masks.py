"""Rules of the masks: readable, of the image's size, inside it, in agreement with box and area
(SPT32x)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.document import Floats, rows_where
from spinetrack_synth.validation.coordinates import box_hint
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity, mild
from spinetrack_synth.validation.mask_shapes import Masks, masks_of
from spinetrack_synth.validation.rules import rule

EDGE_PX: Final = 2.0
"""Boxes and polygons may leave the image by so much: annotation tools let them, and round."""
BOX_SLACK: Final = 0.05
"""Share of a box's longer side by which it may differ from its mask's extent."""
LEAST_INSIDE: Final = 0.5
"""Share of the visible keypoints on the mask; exact labels reach 0.8 and more."""
FULL: Final = 0.99
"""Share of its extent that only a rectangle fills."""
LEAST_OF_BOX: Final = 0.1
"""A person, arms spread, fills more of the box."""
LEAST_SIDE_PX: Final = 16.0
MOST: Final = 0.8
"""What most annotations of a file do is its convention."""
AREA_SLACK: Final = 0.1
"""Share by which an area may differ from a polygon's surface: COCO's areas are counted pixels."""


@rule(
    "SPT321",
    "mask-malformed",
    family="geometry",
    severity=Severity.ERROR,
    reason="""A mask that cannot be decoded stops pycocotools, in some versions with a crash of
    the interpreter.""",
    example="a polygon of five numbers, or run lengths that cover fewer pixels than the size says",
)
def mask_malformed(dataset: Dataset) -> Iterator[Fault]:
    """A segmentation is neither polygons nor run lengths that fill their size."""
    for row, problem in sorted(masks_of(dataset).problems.items()):
        yield dataset.annotation_fault(row, problem, field=".segmentation")


@rule(
    "SPT322",
    "mask-size",
    family="geometry",
    severity=Severity.ERROR,
    reason="""A mask of another size than its image lies elsewhere or cannot be laid over it at
    all. Where all masks of an image agree on another size, the image's record is at fault.""",
    example="`size` [480, 640] in an image of 640 x 480 that says 320 x 240",
    unless=("SPT112", "SPT321", "SPT603"),
)
def mask_size(dataset: Dataset) -> Iterator[Fault]:
    """A mask's size is not that of its image."""
    masks = masks_of(dataset)
    known = np.isfinite(masks.size).all(1) & np.isfinite(dataset.sizes).all(1)
    differs = known & (masks.size != dataset.sizes).any(1)
    of_image: dict[int, list[int]] = defaultdict(list)
    for row in rows_where(known & np.isin(dataset.image_row, dataset.image_row[differs])):
        of_image[int(dataset.image_row[row])].append(int(row))
    for image, rows in sorted(of_image.items()):
        sizes = {tuple(masks.size[row].astype(int)) for row in rows}
        width, height = dataset.image_sizes[image].astype(int)
        if len(sizes) == 1 and (len(rows) > 1 or _record_is_odd(dataset, masks, image, rows[0])):
            ((own_width, own_height),) = sizes
            what = f"its {len(rows)} masks are" if len(rows) > 1 else "its mask is"
            message = f"says {width}x{height}, {what} {own_width}x{own_height}"
            yield dataset.image_fault(image, message)
            continue
        for row in rows:
            own_width, own_height = masks.size[row].astype(int)
            if (own_width, own_height) != (width, height):
                message = f"the mask is {own_width}x{own_height}, the image {width}x{height}"
                yield dataset.annotation_fault(row, message, field=".segmentation.size")


def _record_is_odd(dataset: Dataset, masks: Masks, image: int, row: int) -> bool:
    """Is an image's record wrong rather than its only mask? Where other masks are of the mask's
    size, and no other image of the record's size has a mask that agrees."""
    others = np.arange(len(masks.size)) != row
    like_mask = others & (masks.size == masks.size[row]).all(1)
    agreeing = others & (masks.size == dataset.sizes).all(1)
    agreeing &= (dataset.sizes == dataset.image_sizes[image]).all(1)
    return bool(like_mask.any() and not agreeing.any())


@rule(
    "SPT323",
    "mask-outside-image",
    family="geometry",
    severity=Severity.ERROR,
    reason="A polygon's corners outside the picture show that it was scaled or moved wrongly.",
    example="a polygon up to x = 900 in an image 640 wide",
    unless=("SPT112", "SPT305", "SPT322", "SPT603"),
)
def mask_outside_image(dataset: Dataset) -> Iterator[Fault]:
    """A polygon leaves the image."""
    masks = masks_of(dataset)
    over = np.maximum(-masks.box[:, :2], masks.box[:, 2:] - dataset.sizes).max(1, initial=-np.inf)
    for row in rows_where((over > EDGE_PX) & ~masks.exact):
        message = f"the polygon leaves the image by {over[row]:.4g} px"
        yield dataset.annotation_fault(
            row, message, field=".segmentation", value=round(float(over[row]), 3)
        )


@rule(
    "SPT324",
    "box-off-mask",
    family="geometry",
    severity=Severity.ERROR,
    reason="""The box of a person is the extent of the mask. Where they differ, one of the two
    belongs to somebody else, or was not moved with the other.""",
    example="a box 40 px beside the mask",
    unless=("SPT111", "SPT301", "SPT302", "SPT321", "SPT322", "SPT323", "SPT328", "SPT329"),
)
def box_off_mask(dataset: Dataset) -> Iterator[Fault]:
    """A box is not the extent of its mask."""
    masks = masks_of(dataset)
    difference, wrong = _box_off_mask(dataset, masks)
    for row in rows_where(wrong):
        message = f"the box and the mask's extent differ by {difference[row]:.4g} px"
        message += box_hint(dataset, row, masks.box[row])
        yield dataset.annotation_fault(
            row, message, field=".bbox", value=round(float(difference[row]), 3)
        )


@rule(
    "SPT325",
    "area-off-mask",
    family="geometry",
    severity=Severity.ERROR,
    reason="""OKS is scaled by the area: twice the area forgives errors 1.4 times as large. The
    area is that of the mask, in pixels.""",
    example="`area` 12000 beside a mask of 6000 pixels",
    unless=("SPT303", "SPT321", "SPT322", "SPT323", "SPT328", "SPT329"),
)
def area_off_mask(dataset: Dataset) -> Iterator[Fault]:
    """An area is not that of its mask. A warning where all areas are those of the boxes."""
    masks = masks_of(dataset)
    wrong = _area_off_mask(dataset, masks)
    if _areas_of_boxes(dataset):
        if wrong.any():
            message = f"the areas are those of the boxes, {wrong.sum()} masks cover less: OKS "
            message += "forgives more than COCO's, which are those of the masks"
            yield mild(dataset.file_fault(message, place="annotations.area"))
        return
    for row in rows_where(wrong):
        message = f"{dataset.areas[row]:.6g}, the mask covers {masks.area[row]:.6g} px"
        yield dataset.annotation_fault(
            row, message, field=".area", value=round(float(dataset.areas[row]), 3)
        )


@rule(
    "SPT326",
    "points-off-mask",
    family="geometry",
    severity=Severity.WARNING,
    reason="""Visible points lie on the person, and so does the mask. When most of them lie beside
    it, points and mask are of two people, or one of them was moved.""",
    example="all keypoints 50 px to the right of the mask",
    unless=("SPT30", "SPT310", "SPT311", "SPT321", "SPT322", "SPT324", "SPT325", "SPT328",
            "SPT329", "SPT351", "SPT355", "SPT552", "SPT704"),
)  # fmt: skip
def points_off_mask(dataset: Dataset) -> Iterator[Fault]:
    """Most of a person's visible keypoints lie off the mask."""
    inside = masks_of(dataset).inside
    for row in rows_where((inside < LEAST_INSIDE) & ~dataset.crowd):
        message = f"only {inside[row]:.0%} of the visible keypoints lie on the mask"
        yield dataset.annotation_fault(
            row, message, field=".segmentation", value=round(float(inside[row]), 4)
        )


@rule(
    "SPT327",
    "mask-is-its-box",
    family="geometry",
    severity=Severity.WARNING,
    reason="""Nobody is a rectangle. A mask that fills its box, where most of the file's masks do
    not, stands in for one that was lost.""",
    example="a polygon of the four corners of `bbox` among true outlines",
    unless=("SPT301", "SPT302", "SPT321", "SPT322", "SPT323", "SPT324", "SPT325"),
)
def mask_is_its_box(dataset: Dataset) -> Iterator[Fault]:
    """A mask is the whole box, while most others are outlines."""
    masks = masks_of(dataset)
    with np.errstate(invalid="ignore", over="ignore"):
        filled = masks.area / (masks.box[:, 2:] - masks.box[:, :2]).prod(1)
        large = (masks.box[:, 2:] - masks.box[:, :2]).min(1) > LEAST_SIDE_PX
    rectangles = large & (filled > FULL) & ~dataset.crowd
    outlines = large & (filled <= FULL) & ~dataset.crowd
    if rectangles.sum() < outlines.sum():
        for row in rows_where(rectangles):
            message = "the mask is a rectangle, most others are outlines"
            yield dataset.annotation_fault(row, message, field=".segmentation")


@rule(
    "SPT328",
    "mask-inverted",
    family="geometry",
    severity=Severity.ERROR,
    reason="""Run lengths begin with the background. Where the first length is lost or the mask was
    painted the other way round, everything but the person is the person.""",
    example="run lengths that begin with the person's first pixel",
    unless=("SPT321", "SPT322"),
)
def mask_inverted(dataset: Dataset) -> Iterator[Fault]:
    """A mask covers everything but the person."""
    masks = masks_of(dataset)
    with np.errstate(invalid="ignore", over="ignore"):
        whole = dataset.sizes.prod(1)
        rest = np.abs(whole - masks.area - dataset.areas) <= 0.02 * dataset.areas + 2 * EDGE_PX
        differs = np.abs(masks.area - dataset.areas) > AREA_SLACK * dataset.areas
    for row in rows_where(masks.exact & rest & differs & ~dataset.crowd):
        message = "the mask covers everything but the person: it is inverted"
        yield dataset.annotation_fault(row, message, field=".segmentation")


@rule(
    "SPT329",
    "mask-of-another",
    family="geometry",
    severity=Severity.ERROR,
    reason="""Box and area agree with each other, but neither with the mask: the mask is somebody
    else's, or of another version of the picture.""",
    example="the `segmentation` of the neighbour",
    unless=("SPT301", "SPT302", "SPT303", "SPT321", "SPT322", "SPT323", "SPT328"),
)
def mask_of_another(dataset: Dataset) -> Iterator[Fault]:
    """Neither the box nor the area is that of the mask."""
    masks = masks_of(dataset)
    both = _box_off_mask(dataset, masks)[1] & _area_off_mask(dataset, masks)
    if _areas_of_boxes(dataset):
        return  # the areas agree with the boxes, whatever the mask
    room = dataset.boxes[:, 2:].prod(1)
    both &= (dataset.areas > LEAST_OF_BOX * room) & (dataset.areas <= room)
    for row in rows_where(both):
        message = "the mask has neither the place of the box nor the area"
        yield dataset.annotation_fault(row, message, field=".segmentation")


def _box_off_mask(dataset: Dataset, masks: Masks) -> tuple[Floats, NDArray[np.bool_]]:
    """By how much (N,) px boxes differ from the masks' extents, and where that is too much."""
    box = np.hstack([dataset.boxes[:, :2], dataset.boxes[:, :2] + dataset.boxes[:, 2:]])
    difference = np.abs(box - masks.box).max(1, initial=0.0)
    extent = np.maximum(dataset.boxes[:, 2:], masks.box[:, 2:] - masks.box[:, :2]).max(1)
    return difference, (difference > EDGE_PX + BOX_SLACK * extent) & ~dataset.crowd


def _areas_of_boxes(dataset: Dataset) -> bool:
    """Does the file write the box's area where COCO has the mask's? Most do, of several."""
    known = np.isfinite(dataset.areas + dataset.boxes.sum(1)) & ~dataset.crowd
    room = dataset.boxes[:, 2:].prod(1)
    # To a pixel more or less on each side: some count the last pixel too.
    slack = dataset.boxes[:, 2:].sum(1) + 2 + 0.01 * room
    same = (np.abs(dataset.areas - room) <= slack) & (dataset.areas > 0)
    return bool(known.sum() >= 2 and same[known].mean() >= MOST)


def _area_off_mask(dataset: Dataset, masks: Masks) -> NDArray[np.bool_]:
    """Whose (N,) area is not that of the mask."""
    difference = np.abs(dataset.areas - masks.area)
    slack = np.where(masks.exact, 0.01, AREA_SLACK) * masks.area + 2 * EDGE_PX
    # Polygons may overlap each other: together they cover less than the sum of their surfaces.
    several = masks.parts > 1
    wrong = np.where(several, dataset.areas - masks.area > slack, difference > slack)
    return np.asarray(wrong & ~dataset.crowd)
