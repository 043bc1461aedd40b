"""A person cut out of the picture, with the skeleton, the points that are meant and the fitted
body drawn over it as SVG."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Final

import numpy as np

from spinetrack_synth import palette, skeleton
from spinetrack_synth.coco.document import Document, Floats, rows_where
from spinetrack_synth.coco.keypoint_names import SKELETONS
from spinetrack_synth.coco.picture_paths import locate, picture_folders
from spinetrack_synth.validation.findings import Finding

SPINE_COLOR: Final = palette.hexadecimal(palette.SPINE_COLOR)
LEFT_COLOR: Final = palette.hexadecimal(palette.LEFT_COLOR)
RIGHT_COLOR: Final = palette.hexadecimal(palette.RIGHT_COLOR)
MIDLINE_COLOR: Final = palette.hexadecimal(palette.MIDLINE_COLOR)
MEANT_COLOR: Final = "#ff3b30"
FITTED_COLOR: Final = "#7dff9b"

ASPECT: Final = 4 / 3
MARGIN: Final = 0.12
PICTURE_PX: Final = 560
JPEG_QUALITY: Final = 78
COCO_LINKS: Final = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
                     ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"),
                     ("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"),
                     ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"))  # fmt: skip
"""The trunk and arms of skeletons without spine or clavicles."""


def draw_person(dataset: Document, row: int, findings: Sequence[Finding]) -> str:
    """An SVG of one annotation."""
    points = dataset.keypoints[row]
    labelled = dataset.labelled[row]
    view = _view(dataset, row)
    if view is None:
        return _nothing()
    x, y, width, height = view
    unit = width / 320  # a stroke of 1 is one pixel of a card of usual size
    parts = [_picture(dataset, row, view)]
    box = dataset.boxes[row]
    if np.isfinite(box).all() and (box[2:] > 0).all():
        parts.append(
            f'<rect x="{box[0]:.2f}" y="{box[1]:.2f}" width="{box[2]:.2f}" height="{box[3]:.2f}" '
            f'fill="none" stroke="#fff" stroke-opacity=".55" stroke-width="{unit:.3f}" '
            f'stroke-dasharray="{4 * unit:.2f} {3 * unit:.2f}"/>'
        )
    links = links_of(dataset, row, len(points))
    parts += [
        _line(points[a], points[b], link_color(dataset, row, a, b), 2.4 * unit)
        for a, b in links
        if labelled[a] and labelled[b]
    ]
    for finding in findings:
        if finding.fitted is not None:
            parts += _fitted(np.asarray(finding.fitted, dtype=float), links, unit)
            break
    for number in rows_where(labelled):
        parts.append(_dot(points[number], color_of(dataset, row, number), unit))
    for index in meant_points(dataset, row, findings):
        if labelled[index]:
            px, py = points[index, :2]
            parts.append(
                f'<circle cx="{px:.2f}" cy="{py:.2f}" r="{9 * unit:.2f}" fill="none" '
                f'stroke="{MEANT_COLOR}" stroke-width="{2.4 * unit:.2f}"/>'
            )
    return (
        f'<svg viewBox="{x:.2f} {y:.2f} {width:.2f} {height:.2f}" '
        f'preserveAspectRatio="xMidYMid slice" role="img" aria-label="drawn annotation">'
        f"{''.join(parts)}</svg>"
    )


def meant_points(dataset: Document, row: int, findings: Sequence[Finding]) -> set[int]:
    """The keypoints that findings name as part of the annotation's key."""
    names = _names(dataset, row)
    parts = {finding.key.partition("/")[2] for finding in findings}
    return {index for index, name in enumerate(names) if name in parts}


def links_of(dataset: Document, row: int, count: int) -> list[tuple[int, int]]:
    """The lines to draw (0-based): those of the known skeleton, or of the category."""
    category = int(dataset.category_row[row])
    known = dataset.known_skeleton[category] if category >= 0 else None
    trusted = dataset.trusted_names[category] if category >= 0 else None
    if known and trusted:
        links = [link for link in skeleton.LINKS if max(link) < len(SKELETONS[known])]
        if known != "SpineTrack-37":
            links += [(trusted.index(a), trusted.index(b)) for a, b in COCO_LINKS]
        return links
    stated = dataset.categories[category].get("skeleton", []) if category >= 0 else []
    return [
        (link[0] - 1, link[1] - 1)
        for link in (stated if isinstance(stated, list) else [])
        if isinstance(link, list)
        and len(link) == 2
        and all(type(end) is int and 1 <= end <= count for end in link)
    ]


def _names(dataset: Document, row: int) -> tuple[str, ...]:
    category = int(dataset.category_row[row])
    names = dataset.names[category] if category >= 0 else None
    return names or ()


def color_of(dataset: Document, row: int, index: int) -> str:
    """The colour of a keypoint by its side."""
    category = int(dataset.category_row[row])
    names = dataset.trusted_names[category] if category >= 0 else None
    name = names[index] if names and index < len(names) else ""
    if name.startswith("left_"):
        return LEFT_COLOR
    if name.startswith("right_"):
        return RIGHT_COLOR
    spine = {skeleton.NAMES[i] for i in skeleton.SPINE}
    return SPINE_COLOR if name in spine else MIDLINE_COLOR


def link_color(dataset: Document, row: int, a: int, b: int) -> str:
    """The colour of the end that is off the midline."""
    colors = (color_of(dataset, row, a), color_of(dataset, row, b))
    sides = [color for color in colors if color in (LEFT_COLOR, RIGHT_COLOR)]
    return sides[0] if sides and len(set(sides)) == 1 else colors[0] if not sides else MIDLINE_COLOR


def _view(dataset: Document, row: int) -> tuple[float, float, float, float] | None:
    """The part of the picture to show: box and points with a margin, in the card's aspect."""
    size = dataset.sizes[row]
    corners = [dataset.keypoints[row][dataset.labelled[row], :2]]
    box = dataset.boxes[row]
    if np.isfinite(box).all():
        corners.append(np.array([box[:2], box[:2] + box[2:]]))
    points = np.concatenate(corners)
    # Something a thousand pictures away would make everything else a dot.
    far = 3 * np.nanmax([*size, 100.0]) if np.isfinite(size).any() else 1e5
    points = points[(np.abs(points) < far).all(1)]
    if not len(points):
        return None
    low, high = points.min(0), points.max(0)
    center, extent = (low + high) / 2, np.fmax(high - low, 16.0) * (1 + 2 * MARGIN)
    width = max(extent[0], extent[1] * ASPECT)
    height = width / ASPECT
    x, y = center[0] - width / 2, center[1] - height / 2
    if np.isfinite(size).all() and (low >= 0).all() and (high <= size).all():
        x = _into(x, width, size[0])
        y = _into(y, height, size[1])
    return x, y, width, height


def _into(start: float, length: float, whole: float) -> float:
    """Move a span into 0..whole; in the middle where it is too long."""
    return min(max(start, 0.0), whole - length) if length <= whole else (whole - length) / 2


def _picture(dataset: Document, row: int, view: tuple[float, float, float, float]) -> str:
    """The part of the picture file, as JPEG in the SVG; a plain frame where there is no file."""
    from PIL import Image

    image_row = int(dataset.image_row[row])
    record = dataset.images[image_row] if image_row >= 0 else {}
    path = locate(record.get("file_name"), picture_folders(dataset))
    size = dataset.sizes[row]
    if path is not None:
        try:
            with Image.open(path) as image:
                left, top = max(int(view[0]), 0), max(int(view[1]), 0)
                right = min(int(view[0] + view[2]) + 1, image.width)
                bottom = min(int(view[1] + view[3]) + 1, image.height)
                if right - left < 2 or bottom - top < 2:
                    return ""
                part = image.convert("RGB").crop((left, top, right, bottom))
                part.thumbnail((PICTURE_PX, PICTURE_PX))
                buffer = io.BytesIO()
                part.save(buffer, "JPEG", quality=JPEG_QUALITY)
        except Exception:  # a damaged file is told by SPT602
            return ""
        data = base64.b64encode(buffer.getvalue()).decode()
        return (
            f'<image x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" '
            f'preserveAspectRatio="none" href="data:image/jpeg;base64,{data}"/>'
        )
    if np.isfinite(size).all():
        return f'<rect width="{size[0]:.0f}" height="{size[1]:.0f}" fill="#2b3138"/>'
    return ""


def _fitted(points: Floats, links: Sequence[tuple[int, int]], unit: float) -> list[str]:
    """The body model's skeleton, dashed."""
    dashes = f'stroke-dasharray="{3.5 * unit:.2f} {2.5 * unit:.2f}"'
    return [
        f'<path d="M{points[a, 0]:.2f} {points[a, 1]:.2f}L{points[b, 0]:.2f} {points[b, 1]:.2f}" '
        f'stroke="{FITTED_COLOR}" stroke-width="{1.6 * unit:.2f}" {dashes}/>'
        for a, b in links
        if max(a, b) < len(points) and np.isfinite(points[[a, b], :2]).all()
    ]


def _line(a: Floats, b: Floats, color: str, width: float) -> str:
    place = f'x1="{a[0]:.2f}" y1="{a[1]:.2f}" x2="{b[0]:.2f}" y2="{b[1]:.2f}"'
    return (
        f'<line {place} stroke="#14171b" stroke-width="{1.8 * width:.2f}" stroke-linecap="round"/>'
        f'<line {place} stroke="{color}" stroke-width="{width:.2f}" stroke-linecap="round"/>'
    )


def _dot(point: Floats, color: str, unit: float) -> str:
    x, y, v = point
    fill = color if v == 2 else "#14171b"
    return (
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{3.4 * unit:.2f}" fill="{fill}" '
        f'stroke="{color if v != 2 else "#14171b"}" stroke-width="{1.2 * unit:.2f}"/>'
    )


def _nothing() -> str:
    return (
        '<svg viewBox="0 0 320 240" role="img" aria-label="nothing to draw">'
        '<text x="160" y="124" text-anchor="middle" fill="#8a919b" font-size="14">'
        "nothing that can be drawn</text></svg>"
    )
