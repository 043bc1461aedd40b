"""An inspection as one HTML page that needs no other file."""

from __future__ import annotations

import io
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.drawing.pages import render_page
from spinetrack_synth.drawing.svg import data_url
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.inspection import Check, Curves, Inspection

MOST_POINTS: Final = 2000
"""Frames drawn of a curve: more than a page has pixels for."""


def write_report(path: Path, inspection: Inspection) -> None:
    """Write the page. Raises UserError where its name is no page's or the disk refuses."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{path}: a report is a page: end its name in .html")
    page = render_page(
        "motion/report.html",
        title=f"Anatomy of {inspection.source}",
        name=Path(inspection.source).name,
        inspection=inspection,
        verdict=verdict,
        plots=[_plot(curves) for curves in inspection.curves],
    )
    write_atomic(path, page.encode())


def verdict(check: Check) -> str:
    """One word on a check."""
    if check.passed:
        return "good"
    return "remark" if check.remark else "bad"


def _plot(curves: Curves) -> dict[str, object]:
    """Title, picture (its address in the page itself) and legend of values over time."""
    from matplotlib import color_sequences
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.8), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    step = max(1, len(curves.times_s) // MOST_POINTS)
    single = len(curves.times_s) == 1
    crowded = len(curves.names) > 10
    colors = cycle(map(to_hex, color_sequences["tab20" if crowded else "tab10"]))
    legend = list(zip(curves.names, colors))
    for (_, color), values in zip(legend, curves.values.T):
        axis.plot(
            curves.times_s[::step], values[::step], color=color, linewidth=0.7 if crowded else 1.1,
            marker="o" if single else None,
        )  # fmt: skip
    for edge in (curves.low, curves.high):
        if edge is not None:
            axis.axhline(edge, color="#b3261e", linewidth=0.8, linestyle="--")
    if np.ptp(axis.get_ylim()) < 1e-3:
        axis.set_ylim(-1, 1)
    axis.set_xlabel("time, s")
    axis.set_ylabel(curves.unit)
    axis.grid(alpha=0.3)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return {
        "title": curves.title,
        "picture": data_url(picture.getvalue(), "png"),
        "legend": legend,
    }
