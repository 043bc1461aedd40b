"""Agreement, and two models on the same people, as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from spinetrack_synth.gap.agreement import Agreement, Contrast
from spinetrack_synth.gap.bootstrap import LEAST_CLUSTERS, Interval
from spinetrack_synth.gap.measures import HEADLINES
from spinetrack_synth.gap.quantities import QUANTITIES
from spinetrack_synth.gap.tables import number
from spinetrack_synth.gap.versus import Versus

FIGURES: Final = (
    "bias", "lower", "upper", "absolute", "sd", "icc", "ccc", "sem", "mdc", "slope",
)  # fmt: skip


def agreement_json(agreement: Mapping[str, Agreement], clustered_by: str) -> dict[str, Any]:
    """All figures of all quantities, each with its interval."""
    return {
        "clustered_by": clustered_by,
        "quantities": {
            name: {
                "unit": QUANTITIES[name].unit,
                "people": len(each.rows),
                "clusters": each.clusters,
                **{figure: interval_json(getattr(each, figure)) for figure in FIGURES},
            }
            for name, each in agreement.items()
        },
    }


def versus_json(compared: Versus, first: str, second: str) -> dict[str, Any]:
    """The differences of two models, the first less the second."""
    return {
        "first": first,
        "second": second,
        "people_found_by_both": compared.people,
        "measures": {
            name: {
                **contrast_json(found),
                "better": compared.better[name],
            }
            for name, found in compared.measures.items()
        },
        "agreement": {
            name: {figure: contrast_json(found) for figure, found in each.items()}
            for name, each in compared.agreement.items()
        },
    }


def contrast_json(found: Contrast) -> dict[str, Any]:
    """A figure of two models and their difference."""
    return {
        "first": number(found.first),
        "second": number(found.second),
        "difference": interval_json(found.difference),
    }


def interval_json(found: Interval) -> dict[str, float | None]:
    """A figure with its interval; null where there is none."""
    return {"value": number(found.value), "low": number(found.low), "high": number(found.high)}


def agreement_text(agreement: Mapping[str, Agreement], clustered_by: str) -> str:
    """A table of the quantities, intervals of bias and ICC in brackets."""
    rows: list[tuple[str, ...]] = [
        ("agreement", "people", "bias", "limits of agreement", "ICC(2,1)", "CCC", "SEM", "MDC95")
    ]
    rows += [
        (
            f"{QUANTITIES[name].title}, {QUANTITIES[name].unit}" + (" *" * each.proportional),
            f"{len(each.rows):,}",
            _with_limits(each.bias, 1),
            f"{each.lower.value:.1f} to {each.upper.value:.1f}",
            _with_limits(each.icc, 2),
            f"{each.ccc.value:.2f}",
            f"{each.sem.value:.1f}",
            f"{each.mdc.value:.1f}",
        )
        for name, each in agreement.items()
    ]
    told = f"model less label; {intervals_told(agreement, clustered_by)}"
    if any(each.proportional for each in agreement.values()):
        told += "; * the difference grows or shrinks with the angle or length"
    return f"{_columns(rows)}\n{told}"


def intervals_told(agreement: Mapping[str, Agreement], clustered_by: str) -> str:
    """Where the intervals are from, or why there are none."""
    if any(each.clusters >= LEAST_CLUSTERS for each in agreement.values()):
        return f"95% intervals from drawing by {clustered_by} again"
    return f"no intervals: fewer than {LEAST_CLUSTERS} to draw by {clustered_by}"


def versus_text(compared: Versus, first: str, second: str) -> str:
    """The differences of the headline measures and of agreement."""
    shown = [name for name in compared.measures if name.endswith((".AP", ".AR"))]
    shown += [name for name in HEADLINES if name in compared.measures]
    rows: list[tuple[str, ...]] = [("measure", "first", "second", "first less second")]
    for name in shown:
        found = compared.measures[name]
        values = [_digits(value, 3) for value in (found.first, found.second)]
        rows.append((compared.words(name), *values, _with_limits(found.difference, 3)))
    parts = [
        f"first: {first}\nsecond: {second}\n{compared.people:,} people found by both, "
        f"{int(compared.first.judged.sum())} keypoints that both have",
        _columns(rows),
    ]
    if compared.agreement:
        lines: list[tuple[str, ...]] = [
            ("first less second", "mean absolute difference", "sd", "ICC(2,1)")
        ]
        lines += [
            (
                f"{QUANTITIES[name].title}, {QUANTITIES[name].unit}",
                _with_limits(each["absolute"].difference, 2),
                _with_limits(each["sd"].difference, 2),
                _with_limits(each["icc"].difference, 3),
            )
            for name, each in compared.agreement.items()
        ]
        parts.append(_columns(lines))
    return "\n\n".join(parts)


def _with_limits(found: Interval, digits: int) -> str:
    text = _digits(found.value, digits)
    if math.isfinite(found.low):
        text += f" [{found.low:.{digits}f}, {found.high:.{digits}f}]"
    return text


def _digits(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _columns(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join([f"{row[0]:{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(row[1:], widths[1:]))])
        for row in rows
    )
