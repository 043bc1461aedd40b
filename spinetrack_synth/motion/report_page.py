"""An inspection as one HTML page that needs no other file."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.inspection import Check, Curves, Inspection

MOST_POINTS: Final = 2000
"""Frames drawn of a curve: more than a page has pixels for."""

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c2430; background: #fff; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p.what { color: #5a6675; margin-top: .2rem; }
ul { padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top;
padding: .4rem .6rem; border-bottom: 1px solid #d9dee5; } td.n { text-align: right;
font-variant-numeric: tabular-nums; white-space: nowrap; }
th { white-space: nowrap; }
.good { color: #12703b; } .bad { color: #b3261e; font-weight: 600; } .remark { color: #8a5a00; }
small { color: #5a6675; overflow-wrap: anywhere; }
.plot { overflow-x: auto; } img { width: 100%; min-width: 34rem; height: auto; }
@media (max-width: 40rem) {
  tr { display: grid; grid-template-columns: 1fr auto auto; border-bottom: 1px solid #d9dee5; }
  td, th { border: 0; } td.v { grid-column: 1 / -1; padding-top: 0; }
}
"""


def write_report(path: Path, inspection: Inspection) -> None:
    """Write the page. Raises UserError where the disk refuses."""
    rows = "\n".join(_row(check) for check in inspection.checks)
    plots = "\n".join(
        f"<h2>{escape(curves.title)}</h2>\n{_picture(curves)}" for curves in inspection.curves
    )
    notes = "".join(f"<li>{escape(note)}\n" for note in inspection.notes)
    notes = f"<ul>\n{notes}</ul>\n" if notes else ""
    page = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Anatomy of {escape(inspection.source)}</title>
<style>{_STYLE}</style>
<h1>{escape(Path(inspection.source).name)}</h1>
<p class="what">{escape(inspection.subject)}; {inspection.frames} frames</p>
{notes}<table>
<tr><th>Measure<th>Found<th>At most<th></tr>
{rows}
</table>
{plots}
</html>
"""
    if path.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{path}: a report is a page: end its name in .html")
    write_atomic(path, page.encode())


def verdict(check: Check) -> str:
    """One word on a check."""
    if check.passed:
        return "good"
    return "remark" if check.remark else "bad"


def _row(check: Check) -> str:
    word = verdict(check)
    return (
        f"<tr><td>{escape(check.title)}<br><small>{escape(check.worst)}</small>"
        f'<td class="n">{check.value:.2f} {check.unit}'
        f'<td class="n">{check.threshold:g} {check.unit}'
        f'<td class="v"><span class="{word}">{word}</span><br>'
        f"<small>{escape(check.source)}</small></tr>"
    )


def _picture(curves: Curves) -> str:
    from matplotlib import color_sequences
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.8), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    step = max(1, len(curves.times_s) // MOST_POINTS)
    single = len(curves.times_s) == 1
    crowded = len(curves.names) > 10
    axis.set_prop_cycle(color=color_sequences["tab20" if crowded else "tab10"])
    for name, values in zip(curves.names, curves.values.T):
        axis.plot(
            curves.times_s[::step], values[::step], label=name, linewidth=0.7 if crowded else 1.1,
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
    axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    content = base64.b64encode(picture.getvalue()).decode()
    title = escape(curves.title)
    return (
        f'<div class="plot"><img alt="{title} over time" '
        f'src="data:image/png;base64,{content}"></div>'
    )
