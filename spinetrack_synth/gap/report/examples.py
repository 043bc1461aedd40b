"""The most telling pictures of a comparison: people with their predictions, and the crops that a
classifier is surest of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from markupsafe import Markup
from PIL import Image

from spinetrack_synth import skeleton
from spinetrack_synth.coco.keypoint_names import columns_of
from spinetrack_synth.coco.picture_paths import locate, pictures_root
from spinetrack_synth.drawing.cards import person_card, small_jpeg
from spinetrack_synth.drawing.person import Links, Person, links_between, stated_links
from spinetrack_synth.drawing.svg import data_url
from spinetrack_synth.gap.appearance import Crops, Picture
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.labels import Bools, Labels
from spinetrack_synth.gap.report.worst import WORST, Worst, worst_people

CROP_PX: Final = 180
JPEG_QUALITY: Final = 80


def worst_cards(
    evaluation: Evaluation, judged: Bools, folder: Path | None, side: str = ""
) -> list[dict[str, Any]]:
    """The people with the largest errors, for ``worst`` of the report's parts."""
    return [
        {
            "picture": draw(evaluation, person, folder),
            "side": side,
            "error": person.error,
            "keypoint": skeleton.NAMES[person.keypoint],
            "where": f"{person.file_name}, annotation {person.annotation_id}",
        }
        for person in worst_people(evaluation, judged, WORST)
    ]


def draw(evaluation: Evaluation, worst: Worst, folder: Path | None) -> Markup:
    """An SVG of a person with label and prediction, the worst keypoint ringed."""
    labels, row = evaluation.labels, worst.row
    place = int(labels.rows[row])
    columns = columns_of(labels.names)
    names = list(labels.names)
    fitted = np.full((len(names), 2), np.nan)
    for keypoint, column in columns:
        names[column] = skeleton.NAMES[keypoint]
        if evaluation.predictions.defined[keypoint]:
            fitted[column] = evaluation.pairs.points[row, keypoint]
    points = labels.coco.keypoints[place]
    person = Person(
        points=points[:, :2],
        v=points[:, 2],
        names=names,
        links=_links(labels, place, tuple(names)),
        box=labels.boxes[row],
        fitted=fitted,
        ringed=[column for keypoint, column in columns if keypoint == worst.keypoint],
    )
    image = labels.coco.image_of[worst.image_id]
    sides = [image.get("width"), image.get("height")]
    size = np.array([side if isinstance(side, int | float) else np.nan for side in sides])
    root = folder or pictures_root(labels.path)
    return person_card(person, locate(worst.file_name, (root / labels.title, root)), size)


def _links(labels: Labels, place: int, names: tuple[str, ...]) -> Links:
    """Our lines for our skeletons, for others those that their category states, if any."""
    category = labels.coco.annotations[place]["category_id"]
    stated = next(c.get("skeleton") for c in labels.coco.categories if c["id"] == category)
    own = names == skeleton.NAMES[: len(names)] and len(names) in (17, 26, 37)
    return (not own and stated_links(stated, len(names))) or links_between(names)


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
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return data_url(small_jpeg(image, CROP_PX, JPEG_QUALITY), "jpeg")
