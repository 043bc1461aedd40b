"""What annotations say of people: size, truncation, occlusion, from where they are seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.coco.document import Document, Floats, Rows
from spinetrack_synth.coco.keypoint_names import canonical_name
from spinetrack_synth.coco.proportions import pixels_per_metre
from spinetrack_synth.gap.person_attributes import VIEWS, segments, turned

TOUCHES_PX: Final = 1.0
"""A box that ends so near to an edge is taken to be cut off by it."""

Column = Floats | list[str | None]


@dataclass(frozen=True)
class Block:
    """The people of some annotations: their ``rows`` in the document, values by the keys of
    `measures.LABELS` in the same order, ``visibility`` by keypoint how often v is 2, 1 and 0."""

    rows: Rows
    columns: dict[str, Column]
    visibility: dict[str, Counter[int]]


def people_of(document: Document) -> Block:
    """Measure the people of a document who are no crowd and have a labelled keypoint."""
    labelled = document.labelled
    rows = np.flatnonzero(document.people & ~document.crowd & labelled.any(1))
    v = document.keypoints[rows, :, 2]
    named = np.array([len(names or ()) for names in document.names], dtype=np.int64)
    there = np.arange(v.shape[1]) < named[document.category_row[rows], None]
    count = np.maximum(there.sum(1), 1)
    hidden, shown = (v == 1) & there, labelled[rows] & there
    boxes, sizes = document.boxes[rows], document.sizes[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        columns: dict[str, Column] = {
            "view": _views(document, rows),
            "box_height_px": boxes[:, 3],
            "box_share": boxes[:, 2] * boxes[:, 3] / sizes.prod(1),
            "edges": _edges(boxes, sizes),
            "unlabelled_share": 1 - shown.sum(1) / count,
            "hidden_share": hidden.sum(1) / shown.sum(1),
        }
    return Block(rows, columns, _visibility(document, rows))


def _views(document: Document, rows: Rows) -> list[str | None]:
    points = np.stack([document.point(name)[rows, :2] for name in skeleton.NAMES], axis=1)
    seen_from = turned(segments(points, pixels_per_metre(document)[rows]))
    return [VIEWS[number] if number >= 0 else None for number in seen_from]


def _edges(boxes: Floats, sizes: Floats) -> list[str | None]:
    """How many edges of the picture each box touches."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    touched = (low <= TOUCHES_PX).sum(1) + (high >= sizes - TOUCHES_PX).sum(1)
    known = np.asarray(np.isfinite(np.column_stack([boxes, sizes])).all(axis=1))
    return [str(n) if told else None for n, told in zip(touched.tolist(), known.tolist())]


def _visibility(document: Document, rows: Rows) -> dict[str, Counter[int]]:
    counts: dict[str, Counter[int]] = {}
    for category, names in enumerate(document.names):
        own = rows[document.category_row[rows] == category]
        for k, name in enumerate((names or ())[: document.keypoints.shape[1]]):
            v = document.keypoints[own, k, 2]
            found = counts.setdefault(canonical_name(name), Counter())
            found.update({value: int((v == value).sum()) for value in (0, 1, 2)})
    return counts
