"""The page of a run: curves of losses by term and of figures by set, and the worst people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from spinetrack_synth.drawing.pages import number, render_page
from spinetrack_synth.drawing.svg import drawing, element
from spinetrack_synth.gap.report.examples import worst_cards
from spinetrack_synth.training.judging import FIGURES, Judgement, OpenSet
from spinetrack_synth.training.log import JUDGED, STEPS, read_rows

WIDTH, HEIGHT = 340, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 12, 34
MOST_POINTS: Final = 200
"""Of a curve; of more steps the means of so many stretches are drawn."""
COLORS: Final = (
    "var(--visible)", "var(--real)", "var(--synthetic)", "var(--kind-inversion)",
    "var(--kind-level_slip)", "var(--error)",
)  # fmt: skip
"""Of sets, in their order; then from the start again."""
TITLES: Final = {"oks": "mean OKS", "ap": "AP"}
NOT_TERMS: Final = frozenset({"step", "learning_rate", "gradient_norm", "pictures_s"})

Curve = tuple[str, Sequence[float], Sequence[float]]
"""Colour, steps, values."""


def write_page(
    folder: Path, steps: int, sets: Sequence[OpenSet], judged: Sequence[Judgement]
) -> str:
    """The page of the run in a folder, as far as it has come of ``steps``; ``judged`` are the last
    judgements, of which the worst people are shown."""
    rows, told = read_rows(folder / STEPS), read_rows(folder / JUDGED)
    folders = {each.name: each.folder for each in sets}
    colors = {each.name: COLORS[place % len(COLORS)] for place, each in enumerate(sets)}
    return render_page(
        "training/run.html",
        title=folder.resolve().name,
        done=int(rows[-1]["step"]) if rows else 0,
        steps=steps,
        tiles=_tiles(rows, judged),
        losses=_losses(rows),
        legend=list(colors.items()),
        figures=_figures(told, colors),
        worst_people=[
            card
            for each in judged
            for card in worst_cards(
                each.evaluation, each.evaluation.judged, folders[each.name], each.name
            )
        ],
    )


def _tiles(
    rows: Sequence[Mapping[str, str]], judged: Sequence[Judgement]
) -> list[tuple[str, str, str]]:
    tiles = (
        [("loss, mean of the last 100 steps", number(_recent(rows, "loss")), "")] if rows else []
    )
    for each in judged:
        for group in ("body", "spine"):
            value = each.figures.get(f"{group}_oks", math.nan)
            if math.isfinite(value):
                tiles.append((f"{each.name}: {group}, mean OKS", number(value), ""))
    if rows:
        tiles.append(("pictures a second", number(_recent(rows, "pictures_s")), ""))
    return tiles


def _recent(rows: Sequence[Mapping[str, str]], column: str) -> float:
    return float(np.mean([float(row[column]) for row in rows[-100:]]))


def _losses(rows: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """A plot of the loss, of each of its terms, and of what else a step tells."""
    if not rows:
        return []
    steps = [float(row["step"]) for row in rows]
    terms = [name for name in rows[0] if name not in NOT_TERMS]
    plots = []
    for name in (*terms, "gradient_norm", "learning_rate"):
        values = [float(row[name]) if row[name] else math.nan for row in rows]
        curve = ("var(--visible)", *stretches(steps, values))
        if np.isfinite(curve[2]).any():
            plots.append({"title": name.replace("_", " "), "plot": curves([curve], name)})
    return plots


def _figures(rows: Sequence[Mapping[str, str]], colors: Mapping[str, str]) -> list[dict[str, Any]]:
    """A plot of each figure, a curve a set."""
    plots = []
    for figure in FIGURES:
        lines = []
        for name, color in colors.items():
            known = [row for row in rows if row["set"] == name and row[figure]]
            if known:
                steps, values = ([float(row[key]) for row in known] for key in ("step", figure))
                lines.append((color, steps, values))
        if lines:
            group, _, kind = figure.partition("_")
            plots.append({"title": f"{group}: {TITLES[kind]}", "plot": curves(lines, figure)})
    return plots


def stretches(steps: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """A curve of at most ``MOST_POINTS``: means of stretches of equal length."""
    count = min(len(steps), MOST_POINTS)
    parts = zip(np.array_split(steps, count), np.array_split(values, count))
    means = [(float(x.mean()), float(y.mean())) for x, y in parts]
    return [x for x, _ in means], [y for _, y in means]


def curves(lines: Sequence[Curve], title: str) -> Markup:
    """Curves over steps, on axes that hold all of them."""
    xs = np.concatenate([np.asarray(x) for _, x, _ in lines])
    ys = np.concatenate([np.asarray(y) for _, _, y in lines])
    ys = ys[np.isfinite(ys)]
    if not len(ys):
        return drawing((0, 0, WIDTH, HEIGHT), [], title, "plot")
    x_end = max(float(xs.max()), 1.0)
    low, high = float(ys.min()), float(ys.max())
    air = 0.06 * (high - low) or 0.05 * abs(high) or 0.01
    low, high = (0.0 if 0 <= low <= air else low - air), high + air

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * x / x_end,
            TOP + (HEIGHT - TOP - BOTTOM) * (high - y) / (high - low),
        )

    parts = []
    for value in ticks(low, high):
        _, y = place(0, value)
        parts += [
            element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y),
            element("text", f"{value:.6g}", x=LEFT - 6, y=y + 4, text_anchor="end"),
        ]
    for value in ticks(0, x_end):
        x, _ = place(value, low)
        anchor = "start" if value == 0 else "middle" if x < WIDTH - 30 else "end"
        text = f"{value:,.6g}"
        parts.append(element("text", text, x=x, y=HEIGHT - BOTTOM + 15, text_anchor=anchor))
    parts.append(element("text", "step", x=(LEFT + WIDTH) / 2, y=HEIGHT - 4, text_anchor="middle"))
    for color, x_values, y_values in lines:
        points = [place(x, y) for x, y in zip(x_values, y_values) if math.isfinite(y)]
        if len(points) == 1:
            ((x, y),) = points
            parts.append(element("circle", cx=x, cy=y, r=3.5, style=f"fill:{color}"))
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(element("polyline", points=text, style=f"stroke:{color}"))
    return drawing((0, 0, WIDTH, HEIGHT), parts, title, "plot")


def ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers from low to high."""
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * size for size in (1, 2, 2.5, 5, 10) if unit * size >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]
