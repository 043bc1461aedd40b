"""Statistics as a page that needs nothing else."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from markupsafe import Markup

from spinetrack_synth.drawing.pages import render_page
from spinetrack_synth.drawing.svg import drawing, element
from spinetrack_synth.stats.counting import Statistics
from spinetrack_synth.stats.measures import VISIBILITIES
from spinetrack_synth.stats.tables import QUANTILES, Table
from spinetrack_synth.stats.text import figure, heading, percent, title

WIDTH: Final = 320
HEIGHT: Final = 150
ROW: Final = 18
MOST_ROWS: Final = 14
"""Names drawn of one distribution; the others are one line together."""

LONGEST: Final = 23
"""Characters of a name that fit beside its bar."""

COLORS: Final = ("var(--visible)", "var(--hidden)", "var(--absent)")


def to_page(statistics: Statistics) -> str:
    """The page as one string."""
    groups = groupby(statistics.tables.values(), key=lambda table: table.measure.group)
    first, *rest = heading(statistics)
    return render_page(
        "stats/stats.html",
        title="Statistics",
        first=first,
        rest=rest,
        notes=statistics.notes,
        groups={name: [_chart(table) for table in tables] for name, tables in groups},
        legend=list(zip(VISIBILITIES, COLORS)),
        keypoints=[
            (name, [(color, count / max(sum(counts), 1)) for color, count in zip(COLORS, counts)])
            for name, counts in statistics.visibility.items()
        ],
        percent=percent,
    )


def _chart(table: Table) -> dict[str, Any]:
    numeric = table.measure.numeric
    return {
        "title": title(table),
        "plot": histogram(table) if numeric else rows(table),
        "line": f"{table.total:,} {table.measure.of}" + (f"; {_spread(table)}" if numeric else ""),
    }


def _spread(table: Table) -> str:
    low, middle, high = (table.quantiles[QUANTILES.index(share)] for share in (0.05, 0.5, 0.95))
    return f"median {figure(middle)}, 90 % from {figure(low)} to {figure(high)}"


def histogram(table: Table) -> Markup:
    """Bars of a number's bins, each as wide as the other, its edges below."""
    floor = HEIGHT - 20
    most = max(table.shares)
    step = WIDTH / len(table.bars)
    parts = [element("line", class_="grid", x1=0, x2=WIDTH, y1=floor, y2=floor)]
    for place, bar in enumerate(table.bars):
        height = (floor - 16) * bar.share / most
        parts.append(
            element(
                "rect", element("title", f"{bar.label}: {percent(bar.share)}"),
                x=place * step + 0.5, y=floor - height, width=step - 1, height=height,
                fill="var(--visible)",
            )
        )  # fmt: skip
    every = -(-len(table.bars) // 7)
    for place, bar in enumerate(table.bars):
        if bar.low is not None and place % every == 0:
            parts.append(
                element("text", f"{bar.low:g}", x=place * step, y=HEIGHT - 6,
                        text_anchor="middle" if place else "start")
            )  # fmt: skip
    parts.append(element("text", percent(most), x=0, y=10, text_anchor="start"))
    return drawing((0, 0, WIDTH, HEIGHT), parts, table.measure.title, "plot")


def rows(table: Table) -> Markup:
    """A bar for each name."""
    named, others = table.bars[:MOST_ROWS], table.bars[MOST_ROWS:]
    most = max(bar.share for bar in named)
    lines = [(bar.label, bar.share, 130 * bar.share / most) for bar in named]
    if others:
        lines.append((f"{len(others):,} more", sum(bar.share for bar in others), 0.0))
    parts = []
    for place, (name, share, length) in enumerate(lines):
        y = place * ROW
        label = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        parts += [
            element("text", label, x=128, y=y + 13, text_anchor="end"),
            element("rect", x=134, y=y + 3, width=length, height=ROW - 6, fill="var(--visible)"),
            element("text", percent(share), x=138 + length, y=y + 13),
        ]
    return drawing((0, 0, WIDTH, len(lines) * ROW + 2), parts, table.measure.title, "plot")
