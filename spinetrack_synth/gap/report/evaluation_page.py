"""An evaluation as one page: headline figures, agreement with Bland-Altman plots, keypoints, two
models beside each other, the worst people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from spinetrack_synth import __version__, skeleton
from spinetrack_synth.gap import oks
from spinetrack_synth.gap.agreement import Agreement, Contrast
from spinetrack_synth.gap.agreement_tables import intervals_told
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.measures import HEADLINES, title
from spinetrack_synth.gap.quantities import QUANTITIES
from spinetrack_synth.gap.report import pictures, plots
from spinetrack_synth.gap.report.frame import document, limits, number, signed, worst_section
from spinetrack_synth.gap.report.worst import WORST, worst_people
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
    parts = [
        _head(evaluation, model),
        _remarks(evaluation),
        _tiles(evaluation, agreement),
        "" if compared is None else _versus(compared, model, other),
        _agreement(agreement, clustered_by),
        _plots(agreement),
        _precision(evaluation),
        _keypoints(evaluation),
        _worst(evaluation, folder),
        _method(),
        f"<footer>spinetrack-synth {__version__} evaluate</footer>",
    ]
    return document("A model against labels", parts)


def _head(evaluation: Evaluation, model: str) -> str:
    labels = evaluation.labels
    return (
        f"<header><div><h1>{escape(Path(model).name)}</h1>"
        f'<p class="quiet">against <span class="mono">{escape(labels.path.name)}</span>: '
        f"{int(labels.people.sum()):,} people in {len(labels.image_ids):,} pictures, "
        f"{int(evaluation.judged.sum())} keypoints</p></div></header>"
    )


def _remarks(evaluation: Evaluation) -> str:
    items = "".join(f"<li>{escape(remark)}</li>" for remark in evaluation.remarks)
    return f'<section class="card notes warn"><ul>{items}</ul></section>' if items else ""


def _tiles(evaluation: Evaluation, agreement: Mapping[str, Agreement]) -> str:
    values = dict(zip(evaluation.table.names, evaluation.table.values()))
    tiles = [(f"{group} AP", figures["AP"]) for group, figures in evaluation.precision.items()]
    tiles += [(title(name), values[name]) for name in TILES if name in values]
    if agreement:
        middle = float(np.median([each.icc.value for each in agreement.values()]))
        tiles.append(("median ICC(2,1) of angles and lengths", middle))
    cells = "".join(
        f'<div class="card tile"><b>{number(value)}</b><span>{escape(text)}</span></div>'
        for text, value in tiles
        if math.isfinite(value)
    )
    return f'<section class="tiles">{cells}</section>'


def _agreement(agreement: Mapping[str, Agreement], clustered_by: str) -> str:
    if not agreement:
        return ""
    rows = []
    for name, each in agreement.items():
        quantity = QUANTITIES[name]
        note = f" <small>slope {signed(each.slope.value)}</small>" if each.proportional else ""
        rows.append(
            f"<tr><td>{escape(quantity.title)}, {quantity.unit}</td>"
            f'<td class="n">{len(each.rows):,}</td>'
            f'<td class="n"><b>{signed(each.bias.value)}</b>{limits(each.bias)}{note}</td>'
            f'<td class="n">{number(each.lower.value, 1)} to {number(each.upper.value, 1)}</td>'
            f'<td class="n">{number(each.icc.value, 2)}{_two(each.icc.low, each.icc.high)}</td>'
            f'<td class="n">{number(each.ccc.value, 2)}{_two(each.ccc.low, each.ccc.high)}</td>'
            f'<td class="n">{number(each.sem.value, 1)}</td>'
            f'<td class="n">{number(each.mdc.value, 1)}</td></tr>'
        )
    head = _heads("angle or length", "people", "bias", "limits of agreement", "ICC(2,1)", "CCC",
                  "SEM", "MDC95")  # fmt: skip
    return (
        "<h2>Agreement <small>model less label</small></h2>"
        f"<p class='quiet'>{escape(intervals_told(agreement, clustered_by).capitalize())}. "
        "A slope is told where the difference grows or shrinks with what is measured.</p>"
        '<section class="card scroll"><table class="figures" style="--n:4">'
        f"<tr>{head}</tr>{''.join(rows)}</table></section>"
    )


def _two(low: float, high: float) -> str:
    return f" <small>{number(low, 2)} to {number(high, 2)}</small>" if math.isfinite(low) else ""


def _heads(first: str, *others: str) -> str:
    return f"<th>{first}</th>" + "".join(f'<th class="n">{each}</th>' for each in others)


def _plots(agreement: Mapping[str, Agreement]) -> str:
    cards = "".join(
        f'<div class="card"><h3>{escape(QUANTITIES[name].title)}</h3>'
        f"{plots.bland_altman(each, QUANTITIES[name].unit)}</div>"
        for name, each in agreement.items()
    )
    if not cards:
        return ""
    return (
        "<h2>Bland-Altman plots</h2>"
        "<p class='quiet'>Model less label over the mean of both; the bias drawn through, the "
        "limits of agreement dashed, their intervals of 95% shaded.</p>"
        f'<section class="plots">{cards}</section>'
    )


def _precision(evaluation: Evaluation) -> str:
    if not evaluation.precision:
        return ""
    rows = "".join(
        f"<tr><td>{escape(group)}</td>"
        + "".join(f'<td class="n">{number(figures[name])}</td>' for name in oks.STATISTICS)
        + "</tr>"
        for group, figures in evaluation.precision.items()
    )
    return (
        '<h2>Average precision</h2><section class="card scroll"><table class="figures" '
        f'style="--n:5"><tr>{_heads("group", *oks.STATISTICS)}</tr>{rows}</table></section>'
    )


def _keypoints(evaluation: Evaluation) -> str:
    values = dict(zip(evaluation.table.names, evaluation.table.values()))
    names = [skeleton.NAMES[k] for k in np.flatnonzero(evaluation.judged)]
    figures = ("error", "error_torso", "pck", "auc")
    rows = "".join(
        f'<tr><td class="mono">{name}</td>'
        + "".join(f'<td class="n">{number(values[f"keypoint.{name}.{f}"])}</td>' for f in figures)
        + "</tr>"
        for name in names
    )
    head = _heads("keypoint", "error / box diagonal", "error / torso", "PCK", "AUC")
    return (
        '<h2>Keypoints</h2><section class="card scroll"><table class="figures" style="--n:4">'
        f"<tr>{head}</tr>{rows}</table></section>"
    )


def _versus(compared: Versus, first: str, second: str) -> str:
    shown = [name for name in compared.measures if name.endswith((".AP", ".AR"))]
    shown += [name for name in HEADLINES if name in compared.measures]
    rows = [
        _contrast(
            compared.words(name),
            compared.measures[name],
            compared.better[name],
        )
        for name in shown
    ]
    rows += [
        _contrast(
            f"{QUANTITIES[name].title}: mean absolute difference, {QUANTITIES[name].unit}",
            each["absolute"],
            -1,
        )
        for name, each in compared.agreement.items()
    ]
    return (
        "<h2>Two models <small>the first less the second</small></h2>"
        f'<p class="quiet">First <span class="mono">{escape(Path(first).name)}</span>, second '
        f'<span class="mono">{escape(Path(second).name)}</span>; {compared.people:,} people found '
        f"by both, {int(compared.first.judged.sum())} keypoints that both have.</p>"
        '<section class="card scroll"><table class="figures" style="--n:3">'
        f'<tr>{_heads("measure", "first", "second", "difference")}<th class="plot">95%</th></tr>'
        f"{''.join(rows)}</table></section>"
    )


def _contrast(words: str, found: Contrast, better: int) -> str:
    difference = found.difference
    if not math.isfinite(difference.value):
        return ""
    good = better * difference.value > 0
    kind = "" if difference.holds_zero else "better" if good else "worse"
    axis = plots.span([difference.value, difference.low, difference.high], with_zero=True)
    return (
        f'<tr><td>{escape(words)}</td><td class="n">{number(found.first)}</td>'
        f'<td class="n">{number(found.second)}</td>'
        f'<td class="n {kind}"><b>{signed(difference.value)}</b>{limits(difference)}</td>'
        f'<td class="plot">{plots.whisker(difference, axis, "gap")}</td></tr>'
    )


def _worst(evaluation: Evaluation, folder: Path | None) -> str:
    cards = [
        f'<article class="card case"><div class="picture">'
        f'{pictures.draw(evaluation, person, folder)}</div><div class="text">'
        f"<p>mean error {number(person.error)}, the largest at "
        f'<span class="mono">{skeleton.NAMES[person.keypoint]}</span></p>'
        f'<p class="where mono">{escape(person.file_name)}, annotation {person.annotation_id}</p>'
        "</div></article>"
        for person in worst_people(evaluation, evaluation.judged, WORST)
    ]
    return worst_section(cards)


def _method(lines: Sequence[str] = METHOD) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h2>How to read it</h2><section class="card notes"><ul>{items}</ul></section>'
