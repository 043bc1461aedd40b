"""The most telling pictures of a comparison: people with their predictions, and the crops that a
classifier is surest of."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.coco.keypoint_names import columns_of
from spinetrack_synth.gap.appearance import Crops, Picture
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.report.worst import Worst
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.reporting.drawing import draw_person

CROP_PX: Final = 180
JPEG_QUALITY: Final = 80


def draw(evaluation: Evaluation, person: Worst, folder: Path | None) -> str:
    """An SVG of a person with label and prediction, the worst keypoint ringed."""
    labels, row = evaluation.labels, person.row
    fitted = np.full((len(labels.names), 2), np.nan)
    own_name = ""
    for index, place in columns_of(labels.names):
        if evaluation.predictions.defined[index]:
            fitted[place] = evaluation.pairs.points[row, index]
        if index == person.keypoint:
            own_name = labels.names[place]
    meant = Finding(
        code="", name="", severity=Severity.INFO, file=labels.path, place="",
        key=f"annotation/{own_name}", message="", fitted=fitted,
    )  # fmt: skip
    records = replace(labels.document, pictures=folder or labels.document.pictures)
    return draw_person(records, int(labels.rows[row]), [meant])


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
