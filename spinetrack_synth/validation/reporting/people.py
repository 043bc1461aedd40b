"""An annotation as a person to draw: points, box, the fitted body, what findings mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinetrack_synth.drawing.person import Links, Person, links_between, stated_links
from spinetrack_synth.validation.columns import Dataset
from spinetrack_synth.validation.findings import Finding


def person_of(dataset: Dataset, row: int, findings: Sequence[Finding]) -> Person:
    """The annotation in this row with what its findings say: the first body that was fitted, the
    keypoints that they name."""
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
        fitted=None if fitted is None else np.asarray(fitted, dtype=float),
        ringed=[index for index, name in enumerate(written[: len(points)]) if name in parts],
    )


def _links(dataset: Dataset, category: int, count: int) -> Links:
    """The lines to draw: those of the known skeleton, or of the category."""
    known = dataset.known_skeleton[category] if category >= 0 else None
    trusted = dataset.trusted_names[category] if category >= 0 else None
    if known and trusted:
        return links_between(trusted)
    stated = dataset.categories[category].get("skeleton") if category >= 0 else None
    return stated_links(stated, count)
