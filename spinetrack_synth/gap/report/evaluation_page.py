"""An evaluation as one page: headline figures, agreement with Bland-Altman plots, keypoints, two
models beside each other, the worst people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.drawing.pages import number, render_page
from spinetrack_synth.gap import oks
from spinetrack_synth.gap.agreement import Agreement, Contrast
from spinetrack_synth.gap.agreement_tables import intervals_told
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.measures import HEADLINES, title
from spinetrack_synth.gap.quantities import QUANTITIES
from spinetrack_synth.gap.report import plots
from spinetrack_synth.gap.report.examples import worst_cards
from spinetrack_synth.gap.versus import Versus

TILES = ("people.found", "all.error", "body.error", "spine.error_length", "spine.skill")
"""What stands at the top beside AP."""

METHOD = (
    "Bias: mean of model less label. Limits of agreement: between them lie 95% of the differences "
    "of single people (Bland and Altman).",
    "ICC(2,1): absolute agreement of single measurements (Shrout and Fleiss). CCC: Lin's "
    "concordance. Both grow with how different the people are.",
    "SEM: standard error of measurement, sd of the differences over √2. MDC95: the smallest change "
    "of one person that is real, 1.96 √2 SEM. Both take labels and model for equally exact.",
    "Slope: how much the difference grows by unit measured. Where its interval leaves out zero the "
    "bias is proportional.",
    "Angles are those of the picture: the joint's own only where its plane lies in the picture, "
    "lordosis and kyphosis only from the side. People whose segment is seen end on are left out.",
)


Values = dict[str, Any]
"""What a part of the template asks for by name."""


def render(
    evaluation: Evaluation,
    agreement: Mapping[str, Agreement],
    clustered_by: str,
    model: str,
    folder: Path | None = None,
    compared: Versus | None = None,
    other: str = "",
) -> str:
    """The page as one string; ``folder`` holds the pictures where there are some."""
    labels = evaluation.labels
    return render_page(
        "gap/report/evaluation.html",
        title="A model against labels",
        model=Path(model).name,
        labels=labels.path.name,
        people=int(labels.people.sum()),
        images=len(labels.image_ids),
        remarks=evaluation.remarks,
        figures=_tiles(evaluation, agreement),
        versus=None if compared is None else _versus(compared, model, other),
        agreement=_agreement(agreement),
        intervals=intervals_told(agreement, clustered_by).capitalize() if agreement else "",
        precision=evaluation.precision,
        statistics=oks.STATISTICS,
        keypoints=_keypoints(evaluation),
        worst_people=worst_cards(evaluation, evaluation.judged, folder),
        method=METHOD,
    )


def _tiles(
    evaluation: Evaluation, agreement: Mapping[str, Agreement]
) -> list[tuple[str, str, str]]:
    values = dict(zip(evaluation.table.names, evaluation.table.values()))
    tiles = [(f"{group} AP", figures["AP"]) for group, figures in evaluation.precision.items()]
    tiles += [(title(name), values[name]) for name in TILES if name in values]
    if agreement:
        middle = float(np.median([each.icc.value for each in agreement.values()]))
        tiles.append(("median ICC(2,1) of angles and lengths", middle))
    return [(text, number(value), "") for text, value in tiles if math.isfinite(value)]


def _agreement(agreement: Mapping[str, Agreement]) -> list[Values]:
    return [
        {
            "title": QUANTITIES[name].title,
            "unit": QUANTITIES[name].unit,
            "found": found,
            "plot": plots.bland_altman(found, QUANTITIES[name].unit),
        }
        for name, found in agreement.items()
    ]


def _keypoints(evaluation: Evaluation) -> dict[str, list[float]]:
    values = dict(zip(evaluation.table.names, evaluation.table.values()))
    figures = ("error", "error_torso", "pck", "auc")
    return {
        name: [values[f"keypoint.{name}.{figure}"] for figure in figures]
        for name in (skeleton.NAMES[k] for k in np.flatnonzero(evaluation.judged))
    }


def _versus(compared: Versus, first: str, second: str) -> Values:
    shown = [name for name in compared.measures if name.endswith((".AP", ".AR"))]
    shown += [name for name in HEADLINES if name in compared.measures]
    rows = [
        (compared.words(name), compared.measures[name], compared.better[name]) for name in shown
    ]
    rows += [
        (
            f"{QUANTITIES[name].title}: mean absolute difference, {QUANTITIES[name].unit}",
            each["absolute"],
            -1,
        )
        for name, each in compared.agreement.items()
    ]
    return {
        "first": Path(first).name,
        "second": Path(second).name,
        "people": compared.people,
        "keypoints": int(compared.first.judged.sum()),
        "rows": [
            _contrast(words, found, better)
            for words, found, better in rows
            if math.isfinite(found.difference.value)
        ],
    }


def _contrast(words: str, found: Contrast, better: int) -> Values:
    difference = found.difference
    good = better * difference.value > 0
    axis = plots.span([difference.value, difference.low, difference.high], with_zero=True)
    return {
        "words": words,
        "found": found,
        "kind": "" if difference.holds_zero else "better" if good else "worse",
        "plot": plots.whisker(difference, axis, "gap"),
    }
