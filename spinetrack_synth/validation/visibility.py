"""Rules of visibility: v, and what follows from it (SPT35x)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.document import rows_where
from spinetrack_synth.coco.keypoint_names import SKELETONS, canonical_name
from spinetrack_synth.coco.values import shown
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.geometry import point_faults
from spinetrack_synth.validation.rules import rule

WHOLE_BODY: Final = 133
"""Keypoints of COCO-WholeBody, whose `num_keypoints` counts the body's alone."""
BODY: Final = SKELETONS["COCO-17"]


@rule(
    "SPT351",
    "visibility-value",
    family="visibility",
    severity=Severity.ERROR,
    reason="""COCO knows 0 (not labelled), 1 (labelled, hidden) and 2 (visible). Other values are
    mostly a detector's confidence, which evaluation takes for labelled (CrowdPose issue 13).""",
    example="v = 3, or v = 0.87",
)
def visibility_value(dataset: Dataset) -> Iterator[Fault]:
    """A keypoint's v is not 0, 1 or 2."""
    v = dataset.keypoints[..., 2]
    yield from point_faults(
        dataset,
        np.isfinite(v) & ~np.isin(v, (0, 1, 2)),
        lambda row, k: f"has v = {v[row, k]:.6g}, expected 0, 1 or 2",
        lambda row, k: float(v[row, k]),
    )


@rule(
    "SPT352",
    "place-of-unlabelled-point",
    family="visibility",
    severity=Severity.WARNING,
    reason="""COCO sets x = y = 0 where v = 0. A place left behind means that the point was
    labelled once, or that v was lost; some losses use it all the same.""",
    example="`[412, 233, 0]`",
)
def place_of_unlabelled_point(dataset: Dataset) -> Iterator[Fault]:
    """A keypoint has v = 0 but a place other than 0, 0."""
    x, y, _ = np.moveaxis(dataset.keypoints, -1, 0)
    yield from point_faults(
        dataset,
        _placed(dataset),
        lambda row, k: f"has v = 0 but lies at ({x[row, k]:.6g}, {y[row, k]:.6g})",
    )


def _placed(dataset: Dataset) -> NDArray[np.bool_]:
    points = dataset.keypoints
    there = (points[..., :2] != 0).any(-1) & np.isfinite(points).all(-1)
    placed: NDArray[np.bool_] = (points[..., 2] == 0) & there
    return placed


@rule(
    "SPT353",
    "num-keypoints",
    family="visibility",
    severity=Severity.ERROR,
    reason="""Evaluation ignores people with `num_keypoints` 0 and training skips them, whatever
    their keypoints are.""",
    example="`num_keypoints` 17 where 16 points have v > 0",
    unless=("SPT004", "SPT351", "SPT355"),
)
def num_keypoints(dataset: Dataset) -> Iterator[Fault]:
    """`num_keypoints` is not the number of keypoints with v > 0. Of COCO-WholeBody's 133 the number
    of the body's 17 will do."""
    v = dataset.keypoints[..., 2]
    labelled = v > 0
    meant = labelled | _placed(dataset)  # a v that was set to 0 by mistake is told by SPT352
    whole_body = np.array([*map(_is_whole_body, dataset.names), False])[dataset.category_row]
    counted = ~whole_body[:, None] | (np.arange(v.shape[1]) < len(BODY))
    right = np.column_stack(
        [points.sum(1) for points in (labelled, meant, labelled & counted, meant & counted)]
    ).tolist()
    # Where names and lists disagree in length, nobody knows which points are meant.
    agreed = [len(names or ()) == n for names, n in zip(dataset.names, dataset.point_count)]
    usable = np.isfinite(v).any(1) & np.array([*agreed, True])[dataset.category_row]
    for row in rows_where(usable):
        value = dataset.annotations[row].get("num_keypoints")
        if type(value) is int and value not in right[row]:
            message = f"{shown(value)}, but {right[row][0]} keypoints have v > 0"
            yield dataset.annotation_fault(row, message, field=".num_keypoints")


def _is_whole_body(names: tuple[str, ...] | None) -> bool:
    """Does a category name COCO-WholeBody's keypoints: the body's, then feet, face and hands?"""
    if names is None or len(names) != WHOLE_BODY:
        return False
    return tuple(map(canonical_name, names[: len(BODY)])) == BODY


@rule(
    "SPT354",
    "crowd-with-keypoints",
    family="visibility",
    severity=Severity.ERROR,
    reason="""`iscrowd` 1 means a group of people whom nobody told apart. Training skips the
    annotation and evaluation ignores it, and with it the keypoints that somebody labelled.""",
    example='`"iscrowd": 1` beside `"num_keypoints": 17`',
    unless=("SPT110",),
)
def crowd_with_keypoints(dataset: Dataset) -> Iterator[Fault]:
    """A crowd has labelled keypoints."""
    for row in rows_where(dataset.crowd & dataset.labelled.any(1)):
        message = f"1, but {dataset.labelled[row].sum()} keypoints are labelled"
        yield dataset.annotation_fault(row, message, field=".iscrowd")


@rule(
    "SPT355",
    "labelled-at-origin",
    family="visibility",
    severity=Severity.ERROR,
    reason="""0, 0 is where tools put points they do not know. With v > 0 it counts as a label in
    the corner of the picture.""",
    example="`[0, 0, 2]`",
    unless=("SPT351",),
)
def labelled_at_origin(dataset: Dataset) -> Iterator[Fault]:
    """A keypoint has v > 0 but lies at 0, 0."""
    points = dataset.keypoints
    yield from point_faults(
        dataset,
        (points[..., 2] > 0) & (points[..., :2] == 0).all(-1),
        lambda row, k: f"has v = {points[row, k, 2]:.6g} but lies at (0, 0)",
    )
