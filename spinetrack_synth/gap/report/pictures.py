"""The most telling pictures of a comparison: the worst people, and the crops that a classifier is
surest of."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap.appearance import Crops, Picture
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.people import Bools, Ints
from spinetrack_synth.gap.reading import columns_of
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.reporting.drawing import draw_person

LEAST_POINTS: Final = 8
CROP_PX: Final = 180
JPEG_QUALITY: Final = 80


def worst_people(evaluation: Evaluation, judged: Bools, count: int) -> Ints:
    """Rows of the people with the largest mean error, no two of a picture while there are others.

    People with few judged keypoints are left out: a single point says little.
    """
    errors = evaluation.errors.box[:, judged]
    known = np.isfinite(errors).sum(1)
    mean = np.nansum(errors, axis=1) / np.maximum(known, 1)
    order = np.argsort(-np.where(known >= min(LEAST_POINTS, judged.sum()), mean, -1.0))
    order = order[mean[order] > 0]
    _, first = np.unique(evaluation.labels.image[order], return_index=True)
    fresh = np.sort(first)
    rest = np.setdiff1d(np.arange(len(order)), fresh)
    return order[np.concatenate([fresh, rest]).astype(int)][:count]


def draw(evaluation: Evaluation, row: int, judged: Bools, folder: Path | None) -> tuple[str, str]:
    """An SVG of a person with label and prediction, and the name of the worst keypoint, which is
    ringed."""
    labels = evaluation.labels
    worst = int(np.nanargmax(np.where(judged, evaluation.errors.box[row], np.nan)))
    fitted = np.full((len(labels.names), 2), np.nan)
    own_name = ""
    for index, place in columns_of(labels.names):
        if evaluation.predictions.defined[index]:
            fitted[place] = evaluation.pairs.points[row, index]
        if index == worst:
            own_name = labels.names[place]
    meant = Finding(
        code="", name="", severity=Severity.INFO, file=labels.path, place="",
        key=f"annotation/{own_name}", message="", fitted=fitted,
    )  # fmt: skip
    records = replace(labels.records, pictures=folder or labels.records.pictures)
    return draw_person(records, int(labels.rows[row]), [meant]), skeleton.NAMES[worst]


def telling(scores: np.ndarray, crops: tuple[Crops, Crops], count: int) -> dict[str, list[Picture]]:
    """The crops that a classifier takes most surely for synthetic, rightly; for real, rightly; and
    those it takes for the other kind."""
    first = len(crops[0].rows)
    sides = (scores[:first], scores[first:])
    ways = {
        "synthetic, and plainly so": (0, 1),
        "synthetic, taken for real": (0, -1),
        "real, and plainly so": (1, -1),
        "real, taken for synthetic": (1, 1),
    }
    found = {}
    for name, (side, sign) in ways.items():
        order = np.argsort(sign * sides[side], kind="stable")
        if "taken" in name:
            wrong = sides[side][order] > 0 if side == 0 else sides[side][order] < 0
            order = order[wrong]
        found[name] = [crops[side].pixels[place] for place in order[:count]]
    return found


def embed(picture: Picture) -> str:
    """A picture as a small JPEG for a page."""
    from PIL import Image

    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    image.thumbnail((CROP_PX, CROP_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
