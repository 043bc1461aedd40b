"""The one way to draw a person, on whatever there is to draw on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.drawing.palette import (
    BOX_COLOR,
    FITTED_COLOR,
    MASK_COLOR,
    OUTLINE,
    RING_COLOR,
    Color,
    is_spine,
    keypoint_color,
    link_color,
)
from spinetrack_synth.skeleton import LINKS, NAMES

Floats = NDArray[np.floating]
Links = Sequence[tuple[int, int]]
Dashes = tuple[float, float] | None
"""Lengths of a dash and of a gap; None draws through."""
Edge = tuple[Color, float] | None
"""Colour and width of a disc's edge, which lies within the radius."""

SIDES_OF_TRUNK: Final = (
    ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
    ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"),
)  # fmt: skip
AXIS_OF_TRUNK: Final = (
    ("hip", "neck"), ("neck", "head"), ("neck", "left_shoulder"), ("neck", "right_shoulder")
)  # fmt: skip
"""Lines of the trunk where the spine has no points of its own."""

HIDDEN: Final = 1
SEEN: Final = 2


@dataclass(frozen=True, eq=False)
class Person:
    """What is drawn of a person, in pixels of the picture; None is left out.

    ``points`` (K, 2); ``v`` (K,): 2 seen, 1 hidden, 0 left out; ``names`` (K,) tell colours, "" is
    nobody's; ``links`` pairs of keypoints, 0-based; ``box`` (4,) left, top, width, height; ``mask``
    (H, W) bool; ``fitted`` (K, 2) the keypoints of a body that was fitted or predicted; ``ringed``
    keypoints to look at.
    """

    points: Floats
    v: NDArray[np.integer] | Floats
    names: Sequence[str]
    links: Links
    box: Floats | None = None
    mask: NDArray[np.bool_] | None = None
    fitted: Floats | None = None
    ringed: Sequence[int] = ()

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Which keypoints (K,) are drawn."""
        return (np.asarray(self.v) > 0) & np.isfinite(self.points).all(axis=1)


class Canvas(Protocol):
    """Something to draw on. Places, widths and radii are pixels of the picture."""

    def line(self, a: Floats, b: Floats, color: Color, width: float, dashes: Dashes = None) -> None:
        """A line from ``a`` to ``b``."""

    def circle(self, center: Floats, radius: float, fill: Color | None, edge: Edge = None) -> None:
        """A disc, its edge or both."""

    def mask(self, mask: NDArray[np.bool_], color: Color) -> None:
        """A veil over the pixels of a mask (H, W)."""


@cache
def links_between(names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The lines to draw between keypoints of SpineTrack's names (0-based), whichever there are."""
    place = {name: index for index, name in enumerate(names)}
    pairs = [(NAMES[a], NAMES[b]) for a, b in LINKS]
    if "spine_01" not in place:
        pairs += AXIS_OF_TRUNK if {"hip", "neck"} <= place.keys() else SIDES_OF_TRUNK
    return tuple((place[a], place[b]) for a, b in pairs if a in place and b in place)


def stated_links(skeleton: object, count: int) -> list[tuple[int, int]]:
    """The lines (0-based) that a COCO category states between ``count`` keypoints, as far as they
    can be used."""
    return [
        (link[0] - 1, link[1] - 1)
        for link in (skeleton if isinstance(skeleton, list) else [])
        if isinstance(link, list)
        and len(link) == 2
        and all(type(end) is int and 1 <= end <= count for end in link)
    ]


def stroke_of(points: Floats, least: float, most: float) -> float:
    """The width of a spine link, px, by how large the person (n, 2) is in the picture."""
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    return float(np.clip(extent / 110, least, most))


def draw_person(canvas: Canvas, person: Person, stroke: float) -> None:
    """Draw mask, box, limbs, spine, fitted body, points and rings, in this order.

    Seen points are full, hidden ones hollow. ``stroke`` is the width of a spine link in pixels;
    everything else is as wide in proportion.
    """
    points, shown, names = person.points, person.shown, person.names
    if person.mask is not None:
        canvas.mask(person.mask, MASK_COLOR)
    box = person.box
    if box is not None and np.isfinite(box).all() and (box[2:] > 0).all():
        _draw_box(canvas, box, stroke)
    links = [(a, b) for a, b in person.links if shown[a] and shown[b]]
    # Limbs first, so that the spine lies on top.
    for a, b in sorted(links, key=lambda link: is_spine(names[link[0]], names[link[1]])):
        width = stroke if is_spine(names[a], names[b]) else 0.6 * stroke
        canvas.line(points[a], points[b], OUTLINE, width + 0.5 * stroke)
        canvas.line(points[a], points[b], link_color(names[a], names[b]), width)
    if person.fitted is not None:
        _draw_fitted(canvas, person.fitted, person.links, stroke)
    for k in sorted(np.flatnonzero(shown).tolist(), key=lambda k: is_spine(names[k])):
        color, radius = keypoint_color(names[k]), stroke * (1.25 if is_spine(names[k]) else 0.9)
        canvas.circle(points[k], radius + 0.25 * stroke, OUTLINE)
        if person.v[k] == HIDDEN:
            canvas.circle(points[k], radius, OUTLINE, (color, 0.6 * stroke))
        else:
            canvas.circle(points[k], radius, color)
    for k in person.ringed:
        if shown[k]:
            canvas.circle(points[k], 3.6 * stroke, None, (RING_COLOR, 0.8 * stroke))


def _draw_box(canvas: Canvas, box: Floats, stroke: float) -> None:
    left, top, width, height = box
    corners = np.array([(left, top), (left + width, top), (left + width, top + height),
                        (left, top + height)])  # fmt: skip
    for a, b in zip(corners, np.roll(corners, -1, axis=0)):
        canvas.line(a, b, BOX_COLOR, 0.4 * stroke, (1.6 * stroke, 1.2 * stroke))


def _draw_fitted(canvas: Canvas, fitted: Floats, links: Links, stroke: float) -> None:
    for a, b in links:
        if max(a, b) < len(fitted) and np.isfinite(fitted[[a, b]]).all():
            dashes = 1.7 * stroke, 1.2 * stroke
            canvas.line(fitted[a], fitted[b], FITTED_COLOR, 0.8 * stroke, dashes)
