"""An evaluation as text for people and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap import oks, taxonomy
from spinetrack_synth.gap.calibration import Calibration
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.measures import HEADLINES, KEYPOINT_FIGURES, title
from spinetrack_synth.version import __version__


def number(value: float) -> float | None:
    """A figure as JSON has it: nan is null."""
    return round(float(value), 6) if math.isfinite(value) else None


def to_json(evaluation: Evaluation, model: str) -> dict[str, Any]:
    """All figures of an evaluation."""
    labels = evaluation.labels
    values = dict(zip(evaluation.table.names, evaluation.table.values()))
    return {
        "tool": "spinetrack-synth evaluate",
        "version": __version__,
        "dataset": str(labels.path),
        "model": model,
        "images": len(labels.image_ids),
        "people": int(labels.people.sum()),
        "keypoints": [skeleton.NAMES[k] for k in np.flatnonzero(evaluation.judged)],
        "group_keypoints": {
            name: [skeleton.NAMES[k] for k in group]
            for name, group in oks.groups_of(evaluation.judged).items()
        },
        "remarks": list(evaluation.remarks),
        "groups": {
            name: {key: number(value) for key, value in figures.items()}
            for name, figures in evaluation.precision.items()
        },
        "baselines": {name: number(value) for name, value in evaluation.baselines.items()},
        "measures": {name: number(value) for name, value in values.items()},
        "calibration": calibration_json(evaluation.calibration),
    }


def calibration_json(calibration: Calibration) -> dict[str, Any]:
    """The reliability curve and what is made of it."""
    return {
        "ece": number(calibration.ece),
        "auroc": number(calibration.auroc),
        "outside": number(calibration.outside),
        "curve": [
            {"score": number(s), "correct": number(c), "count": int(n)}
            for s, c, n in zip(calibration.score, calibration.correct, calibration.count)
        ],
    }


def to_text(evaluation: Evaluation, model: str) -> str:
    """The figures as tables."""
    values = dict(zip(evaluation.table.names, evaluation.table.values()))
    labels = evaluation.labels
    parts = [
        f"{model} on {labels.path}: {int(labels.people.sum()):,} people in "
        f"{len(labels.image_ids):,} pictures"
    ]
    parts += [f"note: {remark}" for remark in evaluation.remarks]
    parts += [_table("average precision", oks.STATISTICS, {
        oks.group_title(name, evaluation.judged): list(figures.values())
        for name, figures in evaluation.precision.items()
    })]  # fmt: skip
    if evaluation.baselines:
        guesses = ", ".join(f"{name} {ap:.3f}" for name, ap in evaluation.baselines.items())
        parts.append(f"spine AP of who knows nothing of the spine: {guesses}")
    shown = [name for name in HEADLINES if name in values]
    width = max(len(title(name)) for name in shown)
    parts.append("\n".join(f"{title(name):{width}}  {_cell(values[name])}" for name in shown))
    kinds = [kind.replace(" ", "_") for kind in taxonomy.KINDS]
    parts.append(_table("share of keypoints", taxonomy.KINDS, {
        oks.group_title(group, evaluation.judged): [
            values.get(f"{group}.{kind}", math.nan) for kind in kinds
        ]
        for group in evaluation.precision
    }))  # fmt: skip
    parts.append(_table("keypoint", KEYPOINT_FIGURES, {
        skeleton.NAMES[k]: [
            values[f"keypoint.{skeleton.NAMES[k]}.{figure}"] for figure in KEYPOINT_FIGURES
        ]
        for k in np.flatnonzero(evaluation.judged)
    }))  # fmt: skip
    calibration = evaluation.calibration
    outside = calibration.outside
    parts.append(
        f"scores: calibration error (ECE) {_cell(calibration.ece).strip()}, "
        f"right above wrong (AUROC) {_cell(calibration.auroc).strip()}"
        + (f"; {outside:.0%} of them lie outside 0..1: no probabilities" if outside > 0 else "")
    )
    return "\n\n".join(parts) + "\n"


def _table(corner: str, head: Sequence[str], rows: Mapping[str, Sequence[float]]) -> str:
    width = max(map(len, (corner, *rows)))
    widths = [max(len(name), 6) for name in head]
    lines = [f"{corner:{width}}" + "".join(f"  {name:>{w}}" for name, w in zip(head, widths))]
    lines += [
        f"{name:{width}}" + "".join(f"  {_cell(value):>{w}}" for value, w in zip(values, widths))
        for name, values in rows.items()
    ]
    return "\n".join(lines)


def _cell(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:6.3f}" if abs(value) < 10 else f"{value:6.1f}"
