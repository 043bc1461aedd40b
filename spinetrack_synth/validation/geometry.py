"""Rules of boxes, areas and the places of keypoints (SPT30x, SPT31x)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.document import Floats, rows_where
from spinetrack_synth.coco.keypoint_names import canonical_name
from spinetrack_synth.coco.proportions import BONES_M
from spinetrack_synth.validation.coordinates import box_hint
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity, mild
from spinetrack_synth.validation.mask_shapes import masks_of
from spinetrack_synth.validation.masks import EDGE_PX
from spinetrack_synth.validation.rules import rule

OUTSIDE_BOX: Final = 0.25
"""Share of the box's longer side by which a visible keypoint may lie outside the box. COCO's
visible points leave their boxes by up to a tenth: boxes end at the mask, and hands are cut off."""
POINT_EDGE_PX: Final = 1.0
LEAST_FILL: Final = 0.01
"""Of its box even an arm that sticks out behind a tree fills more."""
LEAST_EXTENT: Final = 0.45
ENOUGH_TO_FILL: Final = 10
"""So many visible points reach over 0.67 of the box and more, in renders and on real photos."""
COINCIDE_EXTENT_PX: Final = 60.0
"""Only people this large: on smaller ones two points round to the same pixel."""


@rule(
    "SPT301",
    "box-not-positive",
    family="geometry",
    severity=Severity.ERROR,
    reason="""A box without width or height crops nothing. The usual cause is a box given as two
    corners instead of corner and size.""",
    example='`"bbox": [100, 50, -20, 80]`',
)
def box_not_positive(dataset: Dataset) -> Iterator[Fault]:
    """A box has no positive width or height."""
    for row in rows_where((dataset.boxes[:, 2:] <= 0).any(1)):
        width, height = dataset.boxes[row, 2:]
        message = f"width {width:.6g}, height {height:.6g}: expected positive numbers"
        yield dataset.annotation_fault(row, message, field=".bbox")


@rule(
    "SPT302",
    "box-outside-image",
    family="geometry",
    severity=Severity.ERROR,
    reason="""A box that leaves its image is cropped with padding that training never meant, or
    belongs to an image of another size.""",
    example="x + width = 700 in an image 640 wide",
    unless=("SPT112", "SPT301", "SPT305", "SPT322", "SPT603"),
)
def box_outside_image(dataset: Dataset) -> Iterator[Fault]:
    """A box leaves the image. A warning where most of it lies in the image, as in datasets whose
    boxes reach to what the picture cuts off."""
    start, end = dataset.boxes[:, :2], dataset.boxes[:, :2] + dataset.boxes[:, 2:]
    over = np.maximum(-start, end - dataset.sizes).max(1, initial=-np.inf)
    for row in rows_where(over > EDGE_PX):
        width, height = dataset.sizes[row]
        message = f"leaves the image ({width:.0f}x{height:.0f}) by {over[row]:.4g} px"
        hint = box_hint(dataset, row, masks_of(dataset).box[row])
        fault = dataset.annotation_fault(
            row, message + hint, field=".bbox", value=round(float(over[row]), 3)
        )
        seen = np.minimum(end[row], dataset.sizes[row]) - np.maximum(start[row], 0.0)
        cut = not hint and (seen > 0).all() and seen.prod() > dataset.boxes[row, 2:].prod() / 2
        yield mild(fault) if cut else fault


@rule(
    "SPT303",
    "area-not-positive",
    family="geometry",
    severity=Severity.ERROR,
    reason="OKS divides by the area: with 0 it is undefined, with a negative one it is nonsense.",
    example='`"area": 0`',
    unless=("SPT301",),
)
def area_not_positive(dataset: Dataset) -> Iterator[Fault]:
    """An area is 0 or negative."""
    for row in rows_where(dataset.areas <= 0):
        message = f"{dataset.areas[row]:.6g}, expected a positive number of pixels"
        yield dataset.annotation_fault(row, message, field=".area", value=float(dataset.areas[row]))


@rule(
    "SPT304",
    "area-off-box",
    family="geometry",
    severity=Severity.ERROR,
    reason="""The person lies in the box, so the area is at most the box's, and a person fills more
    than a hundredth of it. OKS forgives errors by the area.""",
    example="`area` 50000 with a box of 100 x 200",
    unless=("SPT301", "SPT302", "SPT303", "SPT308", "SPT324", "SPT325"),
)
def area_off_box(dataset: Dataset) -> Iterator[Fault]:
    """An area is larger than its box, or next to nothing of it."""
    with np.errstate(over="ignore"):
        room = (dataset.boxes[:, 2] + 1) * (dataset.boxes[:, 3] + 1) * 1.02
    small = (dataset.areas > 0) & (dataset.areas < LEAST_FILL * room)
    for row in rows_where((dataset.areas > room) | (small & ~dataset.crowd)):
        whole = dataset.boxes[row, 2] * dataset.boxes[row, 3]
        message = f"{dataset.areas[row]:.6g}, the box covers {whole:.6g} px"
        yield dataset.annotation_fault(row, message, field=".area", value=float(dataset.areas[row]))


@rule(
    "SPT305",
    "image-too-small",
    family="geometry",
    severity=Severity.ERROR,
    reason="""A slip of the hand moves a box or a point. When a whole person, box and points,
    reaches beyond the image, the image's size is wrong, or the person is another image's.""",
    example="an image of 640 x 480 whose record says 320 x 240",
    unless=("SPT112", "SPT301", "SPT322", "SPT603"),
)
def image_too_small(dataset: Dataset) -> Iterator[Fault]:
    """The box and the keypoints of a person reach beyond the image."""
    if not dataset.keypoints.shape[1]:
        return
    over = dataset.boxes[:, :2] + dataset.boxes[:, 2:] - dataset.sizes
    points = np.where(dataset.labelled[..., None], dataset.keypoints[..., :2], -np.inf)
    beyond = (points.max(1) - dataset.sizes > POINT_EDGE_PX) & (over > EDGE_PX)
    told: set[int] = set()
    for row in rows_where(beyond.any(1)):
        image = int(dataset.image_row[row])
        if image in told:
            continue
        told.add(image)
        width, height = dataset.image_sizes[image]
        right, bottom = dataset.boxes[row, :2] + dataset.boxes[row, 2:]
        message = f"says {width:.0f}x{height:.0f}, but annotations[{row}] reaches to "
        message += f"({right:.6g}, {bottom:.6g}), box and keypoints alike"
        yield dataset.image_fault(image, message)


@rule(
    "SPT306",
    "point-outside-image",
    family="geometry",
    severity=Severity.ERROR,
    reason="""Nobody can see or label a point outside the picture. Training clips it to the border
    or drops it; either way the label is wrong.""",
    example="`left_wrist` at x = 712 in an image 640 wide",
    unless=("SPT112", "SPT305", "SPT311", "SPT322", "SPT351", "SPT603", "SPT704"),
)
def point_outside_image(dataset: Dataset) -> Iterator[Fault]:
    """A labelled keypoint lies outside the image. A warning where the person's box reaches out to
    it: there somebody meant it, as in PoseTrack."""
    if not dataset.keypoints.shape[1]:
        return
    over = _points_outside_image(dataset)
    width, height = dataset.sizes.T

    def message(row: int, index: int) -> str:
        x, y, _ = dataset.keypoints[row, index]
        image = f"{width[row]:.0f}x{height[row]:.0f}"
        return f"lies at ({x:.6g}, {y:.6g}), outside the image ({image})"

    outside = over > POINT_EDGE_PX
    start, end = dataset.boxes[:, None, :2], dataset.boxes[:, None, :2] + dataset.boxes[:, None, 2:]
    points = dataset.keypoints[..., :2]
    meant = np.asarray(((points >= start - EDGE_PX) & (points <= end + EDGE_PX)).all(-1))
    for fault in point_faults(
        dataset, outside, message, lambda row, k: round(float(over[row, k]), 3)
    ):
        yield mild(fault) if meant[fault.row][outside[fault.row]].all() else fault


def _points_outside_image(dataset: Dataset) -> Floats:
    """How far (N, K) px labelled points lie outside their images; nan where not labelled."""
    points = dataset.keypoints[..., :2]
    over = np.maximum(-points, points - dataset.sizes[:, None]).max(-1)
    return np.where(dataset.labelled, over, np.nan)


@rule(
    "SPT307",
    "point-outside-box",
    family="geometry",
    severity=Severity.WARNING,
    reason="""A visible point lies on the person, and the person in the box. Far outside it is a
    slip of the hand, or somebody else's.""",
    example="a visible knee 200 px below a box 100 px high",
    unless=("SPT301", "SPT302", "SPT306", "SPT308", "SPT309", "SPT311", "SPT322", "SPT324",
            "SPT351", "SPT355", "SPT704"),
)  # fmt: skip
def point_outside_box(dataset: Dataset) -> Iterator[Fault]:
    """A visible keypoint lies far outside its person's box."""
    over, limit = _outside_box(dataset)
    yield from point_faults(
        dataset,
        over > limit[:, None],
        lambda row, k: f"{dataset.seen_as}, but {over[row, k]:.4g} px outside the box",
        lambda row, k: round(float(over[row, k]), 3),
    )


@rule(
    "SPT308",
    "box-misses-person",
    family="geometry",
    severity=Severity.ERROR,
    reason="""Top-down estimators crop the box before they look: with another person's box they
    learn to find people where there are none.""",
    example="a box around the neighbour",
    unless=("SPT301", "SPT302", "SPT305", "SPT306", "SPT309", "SPT311", "SPT322", "SPT324",
            "SPT351", "SPT704"),
)  # fmt: skip
def box_misses_person(dataset: Dataset) -> Iterator[Fault]:
    """Most of a person's visible keypoints lie outside the box."""
    over, _ = _outside_box(dataset)
    seen = np.isfinite(over).sum(1)
    outside = (over > 0.05 * dataset.boxes[:, 2:].max(1, initial=0.0)[:, None] + EDGE_PX).sum(1)
    for row in rows_where((seen >= 3) & (outside > seen / 2)):
        message = f"{outside[row]} of {seen[row]} {dataset.seen_as} keypoints lie outside the box"
        points = dataset.keypoints[row][dataset.labelled[row], :2]
        message += box_hint(dataset, row, np.concatenate([points.min(0), points.max(0)]))
        yield dataset.annotation_fault(row, message, field=".bbox", value=int(outside[row]))


def _outside_box(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """How far (N, K) px visible points lie outside their boxes (nan where not visible), and how
    far (N,) they may."""
    points = dataset.keypoints[..., :2]
    start, end = dataset.boxes[:, None, :2], dataset.boxes[:, None, :2] + dataset.boxes[:, None, 2:]
    over = np.maximum(start - points, points - end).max(-1)
    over[~dataset.seen | dataset.crowd[:, None]] = np.nan
    return over, OUTSIDE_BOX * dataset.boxes[:, 2:].max(1, initial=0.0) + EDGE_PX


@rule(
    "SPT309",
    "points-in-one-place",
    family="geometry",
    severity=Severity.ERROR,
    reason="""All points at one place are a placeholder that somebody forgot, and pull a model
    towards it.""",
    example="17 points at (100, 100)",
    unless=("SPT311", "SPT355"),
)
def points_in_one_place(dataset: Dataset) -> Iterator[Fault]:
    """All labelled keypoints of a person, three or more, lie at the same place."""
    count = dataset.labelled.sum(1)
    points = np.where(dataset.labelled[..., None], dataset.keypoints[..., :2], np.nan)
    low, high = _extent(points, dataset.labelled)
    extent = (high - low).max(1, initial=0.0)
    for row in rows_where((count >= 3) & (extent < 1.0)):
        x, y = low[row]
        message = f"all {count[row]} labelled keypoints lie at ({x:.6g}, {y:.6g})"
        yield dataset.annotation_fault(row, message, field=".keypoints", value=int(count[row]))


@rule(
    "SPT310",
    "points-coincide",
    family="geometry",
    severity=Severity.WARNING,
    reason="""Two joints of a large person at exactly the same pixel are a copied value: a hand
    never hits the same place twice.""",
    example="`left_knee` and `right_knee` both at (312.5, 400.25)",
    unless=("SPT306", "SPT307", "SPT308", "SPT309", "SPT311", "SPT351", "SPT355"),
)
def points_coincide(dataset: Dataset) -> Iterator[Fault]:
    """Two keypoints of a person lie at exactly the same place."""
    if not dataset.keypoints.shape[1]:
        return
    points = np.where(dataset.labelled[..., None], dataset.keypoints[..., :2], np.nan)
    low, high = _extent(points, dataset.labelled)
    large = (high - low).max(1, initial=0.0) >= COINCIDE_EXTENT_PX
    ordered = np.sort(points[..., 0] + 1j * points[..., 1], axis=1)
    whole = (np.nan_to_num(points) % 1 == 0).all((1, 2))
    for row in rows_where(large & (ordered[:, 1:] == ordered[:, :-1]).any(1)):
        labelled = rows_where(dataset.labelled[row])
        places: dict[tuple[float, float], int] = {}
        again: list[tuple[int, int]] = []
        for index in labelled:
            place = (float(points[row, index, 0]), float(points[row, index, 1]))
            other = places.setdefault(place, int(index))
            if other != index and not (whole[row] and _may_meet(dataset, row, other, index)):
                again.append((index, other))
        if again:
            index, other = again[0]
            more = f"; {len(again) - 1} more points too" if len(again) > 1 else ""
            message = f"at exactly the place of {point_name(dataset, row, other)}{more}"
            yield point_fault(dataset, row, index, message)


@rule(
    "SPT312",
    "points-fill-little",
    family="geometry",
    severity=Severity.WARNING,
    reason="""Ten visible points reach from the head to the knees or from hand to hand, and the box
    ends where the person does. Points that fill less than half of it were scaled, or are those of
    somebody behind.""",
    example="17 visible points within a tenth of the box",
    unless=("SPT301", "SPT302", "SPT305", "SPT306", "SPT308", "SPT309", "SPT311", "SPT322",
            "SPT324", "SPT326", "SPT351", "SPT355", "SPT552", "SPT704"),
)  # fmt: skip
def points_fill_little(dataset: Dataset) -> Iterator[Fault]:
    """Ten or more visible keypoints fill only a small part of the box."""
    visible = dataset.seen
    points = np.where(visible[..., None], dataset.keypoints[..., :2], np.nan)
    low, high = _extent(points, visible)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = ((high - low) / dataset.boxes[:, 2:]).max(1, initial=0.0)
    enough = (visible.sum(1) >= ENOUGH_TO_FILL) & ~dataset.crowd
    for row in rows_where(enough & (share < LEAST_EXTENT)):
        message = f"{visible[row].sum()} visible keypoints reach over {share[row]:.0%} of the box"
        yield dataset.annotation_fault(
            row, message, field=".keypoints", value=round(float(share[row]), 3)
        )


def _may_meet(dataset: Dataset, row: int, a: int, b: int) -> bool:
    """Whole pixels meet by chance, where a hand lies on a knee; the ends of a bone and the same
    joint of both sides hardly ever do."""
    names = [canonical_name(point_name(dataset, row, index)) for index in (a, b)]
    stems = {name.removeprefix("left_").removeprefix("right_") for name in names}
    return len(stems) > 1 and not any(set(names) == set(bone) for bone in BONES_M)


def _extent(points: np.ndarray, labelled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest x and y (N, 2) of each person's labelled points; nan where none."""
    low = np.where(labelled[..., None], points, np.inf).min(1, initial=np.inf)
    high = np.where(labelled[..., None], points, -np.inf).max(1, initial=-np.inf)
    low[~np.isfinite(low)], high[~np.isfinite(high)] = np.nan, np.nan
    return low, high


def point_faults(
    dataset: Dataset,
    wrong: NDArray[np.bool_],
    message: Callable[[int, int], str],
    value: Callable[[int, int], float | None] = lambda row, index: None,
) -> Iterator[Fault]:
    """One fault for each annotation with wrong points (N, K): the first, and how many more."""
    for row in rows_where(wrong.any(1)):
        first, *more = rows_where(wrong[row])
        others = f"; {len(more)} more point{'s' * (len(more) > 1)} too" if more else ""
        yield point_fault(
            dataset, row, first, message(row, first) + others, value=value(row, first)
        )


def point_name(dataset: Dataset, row: int, index: int) -> str:
    """The name of a keypoint of an annotation, or its number."""
    category = int(dataset.category_row[row])
    names = dataset.names[category] if category >= 0 else None
    return names[index] if names and index < len(names) else f"keypoint {index + 1}"


def point_fault(
    dataset: Dataset,
    row: int,
    index: int,
    message: str,
    *,
    value: float | int | str | None = None,
    fitted: np.ndarray | None = None,
) -> Fault:
    """A fault of one keypoint, placed at its first number in the list."""
    name = point_name(dataset, int(row), int(index))
    return dataset.annotation_fault(
        row,
        f"{name} {message}",
        field=f".keypoints[{3 * int(index)}]",
        part=name,
        value=value,
        fitted=fitted,
    )
