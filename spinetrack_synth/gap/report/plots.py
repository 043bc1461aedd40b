"""Small plots as inline SVG, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from markupsafe import Markup

from spinetrack_synth.drawing.svg import drawing, element
from spinetrack_synth.gap import person_attributes
from spinetrack_synth.gap.agreement import Agreement
from spinetrack_synth.gap.bootstrap import Interval
from spinetrack_synth.gap.labels import Floats

WIDTH: Final = 220
"""Of an interval in a table; all are units that the style sheet scales."""
PLOT_WIDTH: Final = 340
PLOT_HEIGHT: Final = 230
SIDES: Final = ("synthetic", "real")


def span(values: Sequence[float], *, with_zero: bool = False) -> tuple[float, float]:
    """Limits of an axis that holds all values, with some air."""
    finite = [value for value in values if math.isfinite(value)] + ([0.0] if with_zero else [])
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    air = 0.06 * (high - low) or 0.01
    return low - air, high + air


def whisker(
    found: Interval, limits: tuple[float, float], kind: str, matched: Interval | None = None
) -> Markup:
    """An interval on an axis with a line at zero; under it a second one in outline."""
    height = 26 if matched is not None else 16
    parts = []
    if limits[0] < 0 < limits[1]:
        x = _at(0.0, limits)
        parts.append(element("line", class_="zero", x1=x, x2=x, y1=0, y2=height))
    parts += _mark(found, limits, 8, kind)
    if matched is not None:
        parts += _mark(matched, limits, 18, f"{kind} hollow")
    return drawing((0, 0, WIDTH, height), parts, "interval", "whisker")


def _mark(found: Interval, limits: tuple[float, float], y: float, kind: str) -> list[Markup]:
    parts = []
    if math.isfinite(found.low):
        a, b = _at(found.low, limits), _at(found.high, limits)
        parts.append(element("line", class_=kind, x1=a, x2=b, y1=y, y2=y))
    if math.isfinite(found.value):
        parts.append(element("circle", class_=kind, cx=_at(found.value, limits), cy=y, r=4))
    return parts


def pair(a: Interval, b: Interval, limits: tuple[float, float]) -> Markup:
    """Synthetic and real on one axis, joined."""
    parts = []
    if math.isfinite(a.value) and math.isfinite(b.value):
        x, y = _at(a.value, limits), _at(b.value, limits)
        parts.append(element("line", class_="join", x1=x, x2=y, y1=8, y2=8))
    parts += [*_mark(a, limits, 8, "synthetic"), *_mark(b, limits, 8, "real")]
    return drawing((0, 0, WIDTH, 16), parts, "synthetic and real", "whisker")


def balance(before: float, after: float, limits: tuple[float, float], most: float) -> Markup:
    """A standardised difference before (outline) and after matching, in the band of ``most``."""
    left, right, zero = (_at(value, limits) for value in (-most, most, 0.0))
    parts = [
        element("rect", class_="band", x=left, width=right - left, y=0, height=16),
        element("line", class_="zero", x1=zero, x2=zero, y1=0, y2=16),
        element("circle", class_="gap hollow", cx=_at(before, limits), cy=8, r=4),
    ]
    if math.isfinite(after):
        parts.append(element("circle", class_="gap", cx=_at(after, limits), cy=8, r=4))
    return drawing((0, 0, WIDTH, 16), parts, "balance", "whisker")


def _at(value: float, limits: tuple[float, float]) -> float:
    share = (value - limits[0]) / (limits[1] - limits[0])
    return 6 + (WIDTH - 12) * min(max(share, 0.0), 1.0)


def _text(text: str, x: float, y: float, anchor: str = "middle") -> Markup:
    return element("text", text, x=x, y=y, text_anchor=anchor)


def _plot(parts: Sequence[Markup], title: str) -> Markup:
    return drawing((0, 0, PLOT_WIDTH, PLOT_HEIGHT), parts, title, "plot")


def curves(
    lines: Sequence[tuple[str, Floats, Floats]], x_title: str, x_max: float, *, diagonal: bool
) -> Markup:
    """Lines (kind, x, y) over 0..x_max and 0..1."""
    left, bottom = 38, 34
    across, down = PLOT_WIDTH - left - 10, PLOT_HEIGHT - bottom - 10

    def place(x: float, y: float) -> str:
        return f"{left + across * x / x_max:.1f},{10 + down * (1 - y):.1f}"

    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = 10 + down * (1 - tick)
        parts.append(element("line", class_="grid", x1=left, x2=PLOT_WIDTH - 10, y1=y, y2=y))
        parts.append(_text(f"{tick:g}", left - 6, y + 4, "end"))
        x = left + across * tick
        parts.append(_text(f"{tick * x_max:.3g}", x, PLOT_HEIGHT - bottom + 15))
    parts.append(_text(x_title, left + across / 2, PLOT_HEIGHT - 4))
    if diagonal:
        ends = f"{place(0, 0)} {place(x_max, 1)}"
        parts.append(element("polyline", class_="ideal", points=ends))
    for kind, xs, ys in lines:
        known = np.isfinite(xs) & np.isfinite(ys)
        points = " ".join(place(x, y) for x, y in zip(xs[known], ys[known]))
        parts.append(element("polyline", class_=kind, points=points))
    return _plot(parts, x_title)


def histograms(sides: Sequence[Floats], x_title: str, *, logarithmic: bool = False) -> Markup:
    """Shares of both sides' values (N,) by bins, as outlines over one another."""
    width, height, bins = PLOT_WIDTH, PLOT_HEIGHT, 16
    known = [values[np.isfinite(values)] for values in sides]
    every = np.concatenate(known)
    if not len(every):
        return _plot([], x_title)
    low, high = every.min(), max(every.max(), every.min() + 1e-6)
    edges = np.geomspace(low, high, bins + 1) if logarithmic else np.linspace(low, high, bins + 1)
    edges[0], edges[-1] = low, high
    shares = [np.histogram(v, edges)[0] / max(len(v), 1) for v in known]
    most = max(float(share.max()) for share in shares) or 1.0
    floor = height - 34
    parts = [element("line", class_="grid", x1=10, x2=width - 10, y1=floor, y2=floor)]
    step = (width - 20) / bins
    for kind, share in zip(SIDES, shares):
        points = [f"10,{floor}"]
        for place, value in enumerate(share):
            y = floor - (height - 50) * value / most
            points += [f"{10 + place * step:.1f},{y:.1f}", f"{10 + (place + 1) * step:.1f},{y:.1f}"]
        points.append(f"{width - 10},{floor}")
        parts.append(element("polyline", class_=kind, points=" ".join(points)))
    middle = edges[bins // 2]
    for x, value, anchor in (
        (10, low, "start"), (width / 2, middle, "middle"), (width - 10, high, "end"),
    ):  # fmt: skip
        parts.append(_text(f"{value:.3g}", x, height - 19, anchor))
    parts.append(_text(x_title, width / 2, height - 4))
    return _plot(parts, x_title)


def scatter(sides: Sequence[Floats], title: str) -> Markup:
    """Points (N, 2) of both sides."""
    every = np.concatenate(sides)
    low, high = every.min(0), every.max(0)
    scale = (np.array([PLOT_WIDTH, PLOT_HEIGHT]) - 24) / np.maximum(high - low, 1e-9)
    parts = []
    for kind, points in zip(SIDES, sides):
        for x, y in 12 + (points - low) * scale:
            parts.append(element("circle", class_=f"{kind} dot", cx=x, cy=PLOT_HEIGHT - y, r=2.6))
    return _plot(parts, title)


MOST_DOTS: Final = 1500
"""More points in a plot make a page heavy and tell nothing more."""


def bland_altman(agreement: Agreement, unit: str) -> Markup:
    """Differences over means, with bias and limits of agreement. Intervals are cut off
    beyond the points and the limits: of few people they would make the points one line."""
    width, height, left, bottom = PLOT_WIDTH, PLOT_HEIGHT, 44, 34
    means = (agreement.reference + agreement.measured) / 2
    apart = agreement.measured - agreement.reference
    step = max(1, -(-len(means) // MOST_DOTS))
    told = (agreement.bias, agreement.lower, agreement.upper)
    lines = [
        ("zero", 0.0),
        *zip(("gap", "gap hollow", "gap hollow"), (each.value for each in told)),
    ]
    ends = [each.value for each in told]
    x_limits, y_limits = span(means.tolist()), span([*apart.tolist(), *ends], with_zero=True)
    bands = [
        (high, low)
        for each in told
        if math.isfinite(each.low)
        and (high := min(each.high, y_limits[1])) > (low := max(each.low, y_limits[0]))
    ]

    def across(value: float) -> float:
        return left + (width - left - 10) * (value - x_limits[0]) / (x_limits[1] - x_limits[0])

    def up(value: float) -> float:
        share = (value - y_limits[0]) / (y_limits[1] - y_limits[0])
        return 10 + (height - bottom - 10) * (1 - share)

    parts = [
        element(
            "rect", class_="band", x=left, width=width - 10 - left, y=up(high),
            height=up(low) - up(high),
        )
        for high, low in bands
    ]  # fmt: skip
    parts += [
        element("circle", class_="real dot", cx=across(x), cy=up(y), r=2.4)
        for x, y in zip(means[::step], apart[::step])
    ]
    parts += [
        element("line", class_=kind, x1=left, x2=width - 10, y1=up(at), y2=up(at))
        for kind, at in lines
    ]
    parts += [_text(f"{at:.3g}", left - 5, up(at) + 4, "end") for _, at in lines[1:]]
    parts += [
        _text(f"{at:.3g}", across(at), height - bottom + 15, anchor)
        for at, anchor in ((float(means.min()), "start"), (float(means.max()), "end"))
    ]
    middle = (left + width - 10) / 2
    parts.append(_text(f"mean of model and label, {unit}", middle, height - 4))
    return _plot(parts, "Bland-Altman plot")


def pictogram(pose: Floats) -> Markup:
    """A mean pose (S, 2) of ``person_attributes.SEGMENTS`` as a stick figure: a mark of a chart, in
    the page's colours, and no person with keypoints as ``drawing`` shows them."""
    vector = {name: pose[n] for n, (name, _, _) in enumerate(person_attributes.SEGMENTS)}
    neck = vector["torso"]
    at = {"head": neck + vector["head"]}
    lines = [("mid", np.zeros(2), neck), ("mid", neck, at["head"])]
    for side, sign in (("left", 0.5), ("right", -0.5)):
        shoulder, hip = neck + sign * vector["shoulders"], sign * vector["hips"]
        elbow = shoulder + vector[f"{side} upper arm"]
        knee = hip + vector[f"{side} thigh"]
        lines += [
            (side, neck, shoulder),
            (side, shoulder, elbow),
            (side, elbow, elbow + vector[f"{side} forearm"]),
            (side, np.zeros(2), hip),
            (side, hip, knee),
            (side, knee, knee + vector[f"{side} shank"]),
        ]
    points = np.array([end for _, a, b in lines for end in (a, b)])
    middle, size = (points.min(0) + points.max(0)) / 2, max(np.ptp(points, axis=0).max(), 0.5)
    parts = []
    for kind, a, b in lines:
        (x1, y1), (x2, y2) = ((end - middle) / size * 50 + 30 for end in (a, b))
        parts.append(element("line", class_=f"limb {kind}", x1=x1, y1=y1, x2=x2, y2=y2))
    x, y = (at["head"] - middle) / size * 50 + 30
    parts.append(element("circle", class_="limb", cx=x, cy=y, r=3.4))
    return drawing((0, 0, 60, 60), parts, "mean pose", "pictogram")
