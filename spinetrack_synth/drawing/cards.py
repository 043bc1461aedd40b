"""A person cut out of the picture for a card of a page, everything drawn over it as SVG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
from markupsafe import Markup
from PIL import Image

from spinetrack_synth.drawing.person import Floats, Person, draw_person
from spinetrack_synth.drawing.svg import SvgCanvas, data_url, drawing, element

View = tuple[float, float, float, float]
"""Left, top, width, height of what is shown, in pixels of the picture."""

ASPECT: Final = 4 / 3
MARGIN: Final = 0.12
CARD_PX: Final = 320
"""How wide a card usually is on the screen."""
STROKE_PX: Final = 2.8
"""Of a spine link on such a card, however large the person: its single points are looked at."""
PICTURE_PX: Final = 560
JPEG_QUALITY: Final = 78


def person_card(person: Person, picture: Path | None, size_wh: Floats) -> Markup:
    """An SVG of a person before its picture, if there is a file; ``size_wh`` (2,) is the size that
    the labels say the picture has, nan where they do not."""
    view = _view(person, size_wh)
    if view is None:
        return _nothing()
    unit = view[2] / CARD_PX
    canvas = SvgCanvas()
    draw_person(canvas, person, STROKE_PX * unit)
    parts = [_background(picture, size_wh, view), *canvas.parts]
    return element(
        "svg", *parts, viewBox=" ".join(f"{value:.2f}" for value in view),
        preserveAspectRatio="xMidYMid slice", role="img", aria_label="drawn annotation",
    )  # fmt: skip


def _view(person: Person, size: Floats) -> View | None:
    """The part of the picture to show: box and points with a margin, in the card's aspect."""
    corners = [person.points[person.shown]]
    box = person.box
    if box is not None and np.isfinite(box).all():
        corners.append(np.array([box[:2], box[:2] + box[2:]]))
    points = np.concatenate(corners)
    # Something a thousand pictures away would make everything else a dot.
    far = 3 * np.nanmax([*size, 100.0]) if np.isfinite(size).any() else 1e5
    points = points[(np.abs(points) < far).all(1)]
    if not len(points):
        return None
    low, high = points.min(0), points.max(0)
    center, extent = (low + high) / 2, np.fmax(high - low, 16.0) * (1 + 2 * MARGIN)
    width = float(max(extent[0], extent[1] * ASPECT))
    height = width / ASPECT
    x, y = float(center[0]) - width / 2, float(center[1]) - height / 2
    if np.isfinite(size).all() and (low >= 0).all() and (high <= size).all():
        x = _into(x, width, float(size[0]))
        y = _into(y, height, float(size[1]))
    return x, y, width, height


def _into(start: float, length: float, whole: float) -> float:
    """Move a span into 0..whole; in the middle where it is too long."""
    return min(max(start, 0.0), whole - length) if length <= whole else (whole - length) / 2


def _background(path: Path | None, size: Floats, view: View) -> Markup:
    """The part of the picture file, as JPEG in the SVG; a plain frame where there is no file."""
    if path is None:
        if not np.isfinite(size).all():
            return Markup("")
        return element("rect", width=round(size[0]), height=round(size[1]), fill="#2b3138")
    try:
        with Image.open(path) as image:
            left, top = max(int(view[0]), 0), max(int(view[1]), 0)
            right = min(int(view[0] + view[2]) + 1, image.width)
            bottom = min(int(view[1] + view[3]) + 1, image.height)
            if right - left < 2 or bottom - top < 2:
                return Markup("")
            part = image.convert("RGB").crop((left, top, right, bottom))
            content = small_jpeg(part, PICTURE_PX, JPEG_QUALITY)
    except Exception:  # Pillow raises whatever it likes at damaged files; rules tell about them
        return Markup("")
    return element(
        "image", x=left, y=top, width=right - left, height=bottom - top,
        preserveAspectRatio="none", href=data_url(content, "jpeg"),
    )  # fmt: skip


def small_jpeg(image: Image.Image, most_px: int, quality: int) -> bytes:
    """The picture for a page, its longer side at most ``most_px``; changes ``image``."""
    image.thumbnail((most_px, most_px))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _nothing() -> Markup:
    text = element(
        "text", "nothing that can be drawn", x=160, y=124, text_anchor="middle", fill="#8a919b",
        font_size=14,
    )  # fmt: skip
    return drawing((0, 0, 320, 240), [text], "nothing to draw")
