"""Statistics as text for people and as JSON for programs."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from spinetrack_synth.coco.values import plain
from spinetrack_synth.stats.counting import Statistics
from spinetrack_synth.stats.measures import VISIBILITIES
from spinetrack_synth.stats.tables import QUANTILES, Table
from spinetrack_synth.version import __version__

WIDTH: Final = 100
MOST_NAMED: Final = 14
"""Names that are told of one distribution; of the others only how many they are."""

TOLD: Final = (0.01, 0.05, 0.5, 0.95, 0.99)
"""Quantiles in text; JSON has them all."""
_COLUMNS: Final = ("n", "1 %", "5 %", "median", "95 %", "99 %")

_LEVELS: Final = "▁▂▃▄▅▆▇█"


def to_text(statistics: Statistics) -> str:
    """The tables, those of numbers a line each."""
    lines = [*heading(statistics), *(f"note: {note}" for note in statistics.notes)]
    tables = statistics.tables.values()
    for group, members in groupby(tables, key=lambda table: table.measure.group):
        told = list(members)
        numbers = [table for table in told if table.measure.numeric]
        lines += ["", group]
        for table in told:
            if not table.measure.numeric:
                lines += _wrapped(table)
        if numbers:
            lines += _aligned(numbers)
    if statistics.visibility:
        lines += ["", "visibility by keypoint", *_visibility(statistics)]
    return "\n".join(lines) + "\n"


def heading(statistics: Statistics) -> list[str]:
    """What was counted, in a line or two."""
    files = ", ".join(plain(str(source.path)) for source in statistics.sources)
    lines = [f"{files}: {statistics.people:,} people in {statistics.pictures:,} pictures"]
    if statistics.subjects:
        lines.append(
            f"{statistics.subjects:,} different people, in {statistics.looks:,} different looks"
        )
    return lines


def percent(share: float) -> str:
    """``12.5 %``; of little, two digits."""
    return f"{100 * share:.1f} %" if share >= 0.001 or share == 0 else f"{100 * share:.2g} %"


def _wrapped(table: Table) -> list[str]:
    named = [f"{plain(bar.label)} {percent(bar.share)}" for bar in table.bars[:MOST_NAMED]]
    if len(table.bars) > MOST_NAMED:
        named.append(f"and {len(table.bars) - MOST_NAMED:,} more")
    unit = "" if table.measure.of == "people" else f" {table.measure.of}"
    text = f"{table.measure.title} ({table.total:,}{unit}): {', '.join(named)}"
    lines = textwrap.wrap(
        text.replace(" %", "\u00a0%"), WIDTH, initial_indent="  ", subsequent_indent="      ",
        break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace("\u00a0", " ") for line in lines]


def _aligned(tables: Sequence[Table]) -> list[str]:
    titles = [title(table) for table in tables]
    width = max(map(len, titles))
    lines = ["  " + " " * width + "".join(f"{name:>9}" for name in _COLUMNS)]
    for name, table in zip(titles, tables):
        told = [table.quantiles[QUANTILES.index(share)] for share in TOLD]
        cells = [f"{table.total:,}", *map(figure, told)]
        lines.append(
            f"  {name:{width}}" + "".join(f"{cell:>9}" for cell in cells) + f"  {outline(table)}"
        )
    return lines


def title(table: Table) -> str:
    """What is counted, with its unit."""
    return table.measure.title + (f", {table.measure.unit}" if table.measure.unit else "")


def figure(value: float) -> str:
    """Three digits of a number; whole ones from 100 on."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "-"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if abs(value) < 100 else 0
    return f"{value:.{min(digits, 3)}f}"


def outline(table: Table) -> str:
    """The distribution as small blocks, one a bin; a dot for an empty one."""
    most = max(table.shares)
    return "".join(
        _LEVELS[math.ceil(len(_LEVELS) * share / most) - 1] if share else "."
        for share in table.shares
    )


def _visibility(statistics: Statistics) -> list[str]:
    width = max(map(len, statistics.visibility))
    lines = ["  " + " " * width + "".join(f"  {name:>8}" for name in VISIBILITIES)]
    for name, counts in statistics.visibility.items():
        total = max(sum(counts), 1)
        lines.append(
            f"  {plain(name):{width}}"
            + "".join(
                f"  {percent(count / total):>{max(len(head), 8)}}"
                for head, count in zip(VISIBILITIES, counts)
            )
        )
    return lines


def to_json(statistics: Statistics) -> dict[str, Any]:
    """All counts, shares and quantiles."""
    return {
        "tool": "spinetrack-synth stats",
        "version": __version__,
        "files": [
            {"labels": str(source.path), "ground_truth": source.truth and str(source.truth)}
            for source in statistics.sources
        ],
        "pictures": statistics.pictures,
        "people": statistics.people,
        "subjects": statistics.subjects,
        "looks": statistics.looks,
        "notes": list(statistics.notes),
        "tables": {key: _table_json(table) for key, table in statistics.tables.items()},
        "visibility": {
            name: dict(zip(("seen", "hidden", "outside_or_unlabelled"), counts))
            for name, counts in statistics.visibility.items()
        },
    }


def _table_json(table: Table) -> dict[str, Any]:
    measure = table.measure
    bars = [{"label": bar.label, "count": bar.count, "share": bar.share} for bar in table.bars]
    found: dict[str, Any] = {"title": measure.title, "of": measure.of, "total": table.total}
    if measure.numeric:
        for told, bar in zip(bars, table.bars):
            told |= {"from": bar.low, "to": bar.high}
        found |= {
            "unit": measure.unit or None,
            "least": table.least,
            "greatest": table.greatest,
            "quantiles": {f"{share:g}": value for share, value in zip(QUANTILES, table.quantiles)},
        }
    return found | {"bars": bars}
