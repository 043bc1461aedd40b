"""A comparison as one page that needs nothing else: no scripts, no fonts, no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np

from spinetrack_synth import __version__, skeleton
from spinetrack_synth.gap import body, measures, oks, taxonomy
from spinetrack_synth.gap.bootstrap import Interval
from spinetrack_synth.gap.calibration import Calibration
from spinetrack_synth.gap.comparison import (
    Comparison,
    Stratum,
    shares,
    widest_group,
)
from spinetrack_synth.gap.differences import FALSE_DISCOVERIES, Gap
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.gates import Judged
from spinetrack_synth.gap.matching import (
    CALIPER_PERCENTILE,
    GOOD_BALANCE,
    MOST_IMBALANCE,
    NEIGHBOURS,
    TRUNK_DEG,
)
from spinetrack_synth.gap.report import pictures, plots
from spinetrack_synth.gap.report.data import ANSWERED, NOT_ANSWERED
from spinetrack_synth.gap.report.frame import document, worst_section
from spinetrack_synth.gap.report.frame import limits as _limits
from spinetrack_synth.gap.report.frame import number as _number
from spinetrack_synth.gap.report.frame import signed as _signed
from spinetrack_synth.gap.report.worst import WORST, worst_people

CROPS: Final = 6
SIDES: Final = ("synthetic", "real")


def render(comparison: Comparison, model: str, judged: Sequence[Judged] = ()) -> str:
    """The page as one string."""
    parts = [
        _head(comparison, model, judged),
        _answers(comparison),
        _warnings(comparison),
        _headlines(comparison),
        _causes(comparison),
        _matching(comparison),
        _precision(comparison),
        _keypoints(comparison),
        _kinds(comparison),
        _curves(comparison),
        _strata(comparison),
        _poses(comparison),
        _appearance(comparison),
        _worst(comparison),
        _method(comparison),
        f"<footer>spinetrack-synth {__version__} gap, seed {comparison.seed}, "
        f"{comparison.resamples:,} resamples</footer>",
    ]
    return document("Synthetic and real: the gap", parts)


def _head(comparison: Comparison, model: str, judged: Sequence[Judged]) -> str:
    group = widest_group(comparison.judged)
    verdict, kind = "nothing to compare", "info"
    sentence = ""
    if group is not None:
        gap = comparison.gaps[f"{group}.error"]
        ratio = gap.real.value / gap.synthetic.value if gap.synthetic.value > 0 else math.nan
        clear = gap.clear
        times = f"{ratio:.2f} times" if math.isfinite(ratio) else "no clear multiple of"
        verdict, kind = ("no clear gap", "clean") if not clear else (
            f"{times} the error on real", "error" if gap.harm > 0 else "clean"
        )  # fmt: skip
        if not math.isfinite(gap.gap.low):
            verdict, kind = "too few to tell", "info"
        of = len(oks.GROUPS[group])
        there = int(comparison.judged[list(oks.GROUPS[group])].sum())
        share = (
            f"{there} of the {of}" if there < of else f"all {of}" if group == "all" else f"the {of}"
        )
        which = f"{share} keypoints" if group == "all" else f"{share} {group} keypoints"
        sentence = (
            f"Over {which} the mean error is {_number(gap.synthetic.value)} of the box's diagonal "
            f"on synthetic labels and {_number(gap.real.value)} on real ones: a gap of "
            f"{_signed(gap.gap.value)}"
            + (
                f", with 95% confidence between {_signed(gap.gap.low)} and {_signed(gap.gap.high)}."
                if math.isfinite(gap.gap.low)
                else "; there are too few pictures to say how sure that is."
            )
        )
        even = comparison.matched.get(f"{group}.error")
        sentence += (
            f" Among people alike in pose, scale, view and lie of the trunk it is "
            f"{_signed(even.gap.value)} ({_signed(even.gap.low)} to {_signed(even.gap.high)})."
            if even is not None
            else " The sets' people are not comparable in pose and scale (see Matching)."
        )
    gates = "".join(
        f"<li><b class='{each.verdict}'>{each.verdict}</b>: <code>{escape(each.gate.text)}</code>, "
        f"found {escape(each.found.told())}</li>"
        for each in judged
    )
    return (
        f"<header><div><h1>Synthetic and real: the gap</h1>"
        f'<p class="quiet">{escape(model)}: '
        f'<span class="synthetic-text">{escape(comparison.synthetic.labels.path.name)}</span>, '
        f"{_count(comparison.synthetic)}, and "
        f'<span class="real-text">{escape(comparison.real.labels.path.name)}</span>, '
        f"{_count(comparison.real)}.</p></div>"
        f'<span class="verdict {kind}">{verdict}</span></header><p>{sentence}</p>'
        + (f'<section class="card notes gates"><ul>{gates}</ul></section>' if gates else "")
    )


def _count(evaluation: Evaluation) -> str:
    people, images = int(evaluation.labels.people.sum()), len(evaluation.labels.image_ids)
    return f"{people:,} people in {images:,} pictures"


def _answers(comparison: Comparison) -> str:
    missing = [skeleton.NAMES[k] for k in np.flatnonzero(~comparison.judged)]
    lacking = [g for g in ("body", "feet", "spine") if g not in oks.groups_of(comparison.judged)]
    cannot = ""
    if missing:
        cannot = (
            f"<p><b>Cannot be judged:</b> {' and '.join(lacking) or 'single points'}; of the 37 "
            f"keypoints these are not on both sides: {escape(', '.join(missing))}.</p>"
        )
    return (
        f'<section class="card answers"><p><b>This page answers</b> {ANSWERED}.</p>'
        f"<p><b>It does not answer</b> {NOT_ANSWERED}.</p>{cannot}</section>"
    )


def _warnings(comparison: Comparison) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in comparison.warnings)
    if not items:
        return ""
    return f'<h2>Is it fair?</h2><section class="card notes warn"><ul>{items}</ul></section>'


def _headlines(comparison: Comparison) -> str:
    names = [
        name
        for name in measures.HEADLINES
        if name in comparison.gaps and math.isfinite(comparison.gaps[name].gap.value)
    ]
    rows = "".join(
        _row(measures.title(name), comparison.gaps[name], comparison.matched.get(name))
        for name in names
    )
    return (
        f"<h2>The gap</h2><p class='quiet'>Real less synthetic, with intervals of 95% from dealing "
        f"{_drawn(comparison)} out again. {_matched_told(comparison)}</p>{_table(rows, 'measure')}"
    )


def _matched_told(comparison: Comparison) -> str:
    matching = comparison.matching
    if matching.comparable:
        return (
            f"Matched: {matching.share:.0%} of the real people have a synthetic one like them in "
            "pose, scale, view and lie of the trunk."
        )
    return f"<b>Not comparable</b>, so there are no matched figures: {escape(matching.obstacle)}."


def _matching(comparison: Comparison) -> str:
    """How far apart the people were before and after matching."""
    matching = comparison.matching
    if not matching.balance:
        return f'<h2>Matching</h2><section class="card notes">{_matched_told(comparison)}</section>'
    ends = [value for each in matching.balance for value in (each.before, each.after)]
    limits = plots.span([*ends, -MOST_IMBALANCE, MOST_IMBALANCE])
    rows = "".join(
        f'<tr><td>{escape(each.name)}</td><td class="n">{_size(each.before)}</td>'
        f'<td class="n">{_size(each.after)}</td>'
        f"<td class='plot'>{plots.balance(each.before, each.after, limits, MOST_IMBALANCE)}</td>"
        "</tr>"
        for each in matching.balance
    )
    return (
        "<h2>Matching <small>standardised mean differences, real less synthetic</small></h2>"
        f"<p class='quiet'>{_matched_told(comparison)} Beyond {MOST_IMBALANCE:g} sets are not "
        f"comparable; up to {GOOD_BALANCE:g} is negligible. {matching.people:,} real people are "
        f"held against synthetic ones that weigh as much as {matching.equal_people:,.0f}.</p>"
        '<section class="card scroll"><table class="figures" style="--n:2"><tr><th></th>'
        '<th class="n">before</th>'
        '<th class="n">after</th>'
        '<th class="plot">before (outline), after; shaded: comparable</th></tr>'
        f"{rows}</table></section>"
    )


def _size(value: float) -> str:
    text = f"{value:+.2f}" if math.isfinite(value) else "–"
    return f"<b>{text}</b>" if abs(value) > MOST_IMBALANCE else text


def _drawn(comparison: Comparison) -> str:
    kinds = {side.labels.clustered_by for side in (comparison.synthetic, comparison.real)}
    return " and ".join(f"{kind}s" if not kind.endswith("_id") else kind for kind in sorted(kinds))


def _table(
    rows: str, first: str, *, matched: bool = True, plot: str = "gap, and matched (outline)"
) -> str:
    even = '<th class="n">matched</th>' if matched else ""
    return (
        '<section class="card scroll"><table class="figures" '
        f'style="--n:{4 if matched else 3}"><tr><th>{first}</th>'
        '<th class="n synthetic-text">synthetic</th><th class="n real-text">real</th>'
        f'<th class="n">gap</th>{even}<th class="plot">{plot}</th></tr>{rows}'
        "</table></section>"
    )


def _row(title: str, gap: Gap, matched: Gap | None) -> str:
    ends = [gap.gap.value, gap.gap.low, gap.gap.high]
    if matched is not None:
        ends += [matched.gap.value, matched.gap.low, matched.gap.high]
    even = "–" if matched is None else f"{_signed(matched.gap.value)}{_limits(matched.gap)}"
    clear = "" if not gap.clear or not gap.better else "worse" if gap.harm > 0 else "better"
    plot = plots.whisker(
        gap.gap, plots.span(ends, with_zero=True), "gap", None if matched is None else matched.gap
    )
    return (
        f'<tr><td>{escape(title)}</td><td class="n">{_number(gap.synthetic.value)}</td>'
        f'<td class="n">{_number(gap.real.value)}</td>'
        f'<td class="n {clear}"><b>{_signed(gap.gap.value)}</b>{_limits(gap.gap)}</td>'
        f'<td class="n">{even}</td><td class="plot">{plot}</td></tr>'
    )


def _causes(comparison: Comparison) -> str:
    made = shares(comparison)
    if not comparison.causes:
        told = (
            "No difference of pose, scale, occlusion, boxes, sides, coordinates, occluders, "
            "compression, blur, tone, noise or of a keypoint's place stands out."
        )
        return f'<h2>What differs</h2><section class="card notes">{told}</section>'
    cards = []
    for cause in comparison.causes:
        key = next((name for name in comparison.costs if cause.name in name.split(" and ")), None)
        cost = comparison.costs[key] if key is not None else None
        cards.append(
            f'<div class="cause"><b>{escape(cause.name)}</b><p>{escape(cause.told)}. '
            f'<span class="quiet">Effect size {_number(abs(cause.effect), 2)}, by accident in '
            f"{_chance(cause.p)} of cases.</span></p>{_cost(cost, made.get(key or ''))}</div>"
        )
    return f'<h2>What differs</h2><section class="card">{"".join(cards)}</section>'


def _chance(p: float) -> str:
    return f"{p:.1%}" if p >= 0.001 else "under 0.1%"


def _cost(cost: Interval | None, share: float | None) -> str:
    if cost is None or not math.isfinite(cost.value):
        return (
            '<p class="quiet">What it costs is not known: that takes the model and both sets of '
            "pictures (or, for pose, enough people alike).</p>"
        )
    told = f"It accounts for {_signed(cost.value)} of the error{_limits(cost)}"
    if share is None or not math.isfinite(share):
        return f"<p>{told}.</p>"
    width = 100 * min(max(share, 0.0), 1.0)
    return (
        f"<p>{told}: {share:.0%} of the gap.</p>"
        f'<span class="meter"><i style="width:{width:.1f}%"></i></span>'
    )


def _precision(comparison: Comparison) -> str:
    rows = "".join(
        _row(f"{oks.group_title(group, comparison.judged)} {kind}", gap, None).replace(
            '<td class="n">–</td>', ""
        )
        for name, gap in comparison.precision.items()
        for group, kind in [name.split(".")]
    )
    if not rows:
        return ""
    baselines = [
        f"{side} {', '.join(f'{name} {ap:.3f}' for name, ap in evaluation.baselines.items())}"
        for side, evaluation in zip(SIDES, (comparison.synthetic, comparison.real))
        if evaluation.baselines and "spine" in oks.groups_of(comparison.judged)
    ]
    told = (
        "<p class='quiet'>Spine AP is nearly saturated by interpolation; who knows nothing of the "
        f"spine scores: {escape('; '.join(baselines))}.</p>"
        if baselines
        else ""
    )
    return f"<h2>Average precision</h2>{told}{_table(rows, 'group', matched=False, plot='gap')}"


def _keypoints(comparison: Comparison) -> str:
    names = [skeleton.NAMES[k] for k in np.flatnonzero(comparison.judged)]
    gaps = {name: comparison.gaps[f"keypoint.{name}.error"] for name in names}
    both = [found for gap in gaps.values() for found in (gap.synthetic, gap.real)]
    ends = [value for found in both for value in (found.value, found.low, found.high)]
    limits = plots.span([*ends, 0.0])
    rows = []
    for name, gap in sorted(gaps.items(), key=lambda item: -_finite(item[1].gap.value)):
        even = comparison.matched.get(f"keypoint.{name}.error")
        clear = "" if not gap.clear else "worse" if gap.harm > 0 else "better"
        rows.append(
            f'<tr><td class="mono">{name}</td><td class="n">{_number(gap.synthetic.value)}</td>'
            f'<td class="n">{_number(gap.real.value)}</td>'
            f'<td class="n {clear}"><b>{_signed(gap.gap.value)}</b>{_limits(gap.gap)}</td>'
            f'<td class="n">{"–" if even is None else _signed(even.gap.value)}</td>'
            f"<td class='plot'>{plots.pair(gap.synthetic, gap.real, limits)}</td></tr>"
        )
    return (
        "<h2>Keypoints <small>error / box diagonal, the largest gap first</small></h2>"
        f"<p class='quiet'>Coloured: keypoints whose gap stands out, {FAMILY}.</p>"
        + _legend()
        + _table("".join(rows), "keypoint", plot=f"0 to {limits[1]:.3f}")
    )


FAMILY: Final = (
    f"corrected for all rows of the table (Benjamini and Hochberg): at most "
    f"{FALSE_DISCOVERIES:.0%} of those told are there by accident"
)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _legend() -> str:
    cells = [f'<span><i style="background:var(--{side})"></i>{side}</span>' for side in SIDES]
    return f'<div class="legend">{"".join(cells)}</div>'


def _kinds(comparison: Comparison) -> str:
    rows = []
    keys = [kind.replace(" ", "_") for kind in taxonomy.KINDS]
    for group in oks.groups_of(comparison.judged):
        for side in SIDES:
            bars = []
            for key, kind in zip(keys, taxonomy.KINDS):
                gap = comparison.gaps.get(f"{group}.{key}")
                value = getattr(gap, side).value if gap is not None else 0.0
                if value > 0:
                    bars.append(
                        f'<i style="width:{100 * value:.2f}%;background:var(--kind-{key})" '
                        f'title="{kind}: {value:.1%}"></i>'
                    )
            rows.append(
                f"<span>{group if side == 'synthetic' else ''}</span>"
                f'<span class="{side}-text">{side}</span><span class="stack">{"".join(bars)}</span>'
            )
    if not rows:
        return ""
    legend = "".join(
        f'<span><i style="background:var(--kind-{key})"></i>{kind}</span>'
        for key, kind in zip(keys, taxonomy.KINDS)
    )
    return (
        f'<h2>Kinds of error</h2><div class="legend">{legend}</div>'
        f'<section class="card kinds">{"".join(rows)}</section>'
    )


def _curves(comparison: Comparison) -> str:
    cards = []
    limits = np.linspace(0, measures.AUC_BOX, 41)
    for group, indices in oks.groups_of(comparison.judged).items():
        if group == "halpe26":
            continue
        lines = []
        for side, evaluation in zip(SIDES, (comparison.synthetic, comparison.real)):
            errors = evaluation.errors.box[:, list(indices)]
            errors = errors[np.isfinite(errors)]
            if len(errors):
                lines.append((side, limits, (errors[None] <= limits[:, None]).mean(1)))
        plot = plots.curves(
            lines, "within this share of the box diagonal", measures.AUC_BOX, diagonal=False
        )
        cards.append(f'<div class="card"><h3>PCK, {group}</h3>{plot}</div>')
    sides = {"synthetic": comparison.synthetic, "real": comparison.real}
    lines = [(name, _filled(e.calibration), e.calibration.correct) for name, e in sides.items()]
    told = ", ".join(
        f"{name} ECE {_number(e.calibration.ece)}, AUROC {_number(e.calibration.auroc)}"
        for name, e in sides.items()
    )
    cards.append(
        f'<div class="card"><h3>Calibration</h3>'
        f"{plots.curves(lines, 'score', 1.0, diagonal=True)}<p class='quiet'>{told}</p></div>"
    )
    return f'<h2>Curves</h2>{_legend()}<section class="plots">{"".join(cards)}</section>'


def _filled(calibration: Calibration) -> np.ndarray:
    return np.where(calibration.count > 0, calibration.score, np.nan)


def _strata(comparison: Comparison) -> str:
    group = widest_group(comparison.judged)
    if group is None:
        return ""
    name = f"{group}.error"
    spine = "spine.error_length"
    gaps = [each.gaps[name].gap for each in comparison.strata if name in each.gaps]
    ends = [value for found in gaps for value in (found.value, found.low, found.high)]
    limits = plots.span(ends, with_zero=True)
    rows, last = [], ""
    for each in comparison.strata:
        if each.by != last:
            last = each.by
            rows.append(f'<tr class="by"><td colspan="7">{each.by}</td></tr>')
        rows.append(_stratum(comparison, each, name, spine, limits))
    head = (
        '<tr><th></th><th class="n">people</th><th class="n">synthetic, real</th>'
        '<th class="n">gap</th><th class="n">p, corrected</th><th class="plot">95%</th>'
        f'<th class="n">gap, {measures.TITLES[spine]}</th></tr>'
    )
    return (
        f"<h2>For whom <small>{escape(measures.title(name))}</small></h2>"
        f"<p class='quiet'>Intervals are each group's own; p-values are {FAMILY}. Those that stand "
        "out so are coloured.</p>"
        '<section class="card scroll"><table class="figures" style="--n:5">'
        f"{head}{''.join(rows)}</table></section>"
    )


def _stratum(
    comparison: Comparison, each: Stratum, name: str, spine: str, limits: tuple[float, float]
) -> str:
    title = escape(each.name)
    if each.by == "pose":
        number = int(each.name.split()[1]) - 1
        title = plots.pictogram(comparison.clusters.centres[number])
    people = f"{each.synthetic_people:,}, {each.real_people:,}"
    gap = each.gaps.get(name)
    if gap is None:
        return (
            f'<tr><td>{title}</td><td class="n">{people}</td>'
            '<td colspan="5" class="quiet">too few on one side</td></tr>'
        )
    other = each.gaps.get(spine)
    clear = "" if not gap.clear else "worse" if gap.harm > 0 else "better"
    return (
        f'<tr><td>{title}</td><td class="n">{people}</td>'
        f'<td class="n">{_number(gap.synthetic.value)}, {_number(gap.real.value)}</td>'
        f'<td class="n {clear}"><b>{_signed(gap.gap.value)}</b>{_limits(gap.gap)}</td>'
        f'<td class="n">{_number(gap.corrected, 3)}</td>'
        f"<td class='plot'>{plots.whisker(gap.gap, limits, 'gap')}</td>"
        f'<td class="n">{"–" if other is None else _signed(other.gap.value)}</td></tr>'
    )


def _poses(comparison: Comparison) -> str:
    if comparison.pose is None:
        told = "Too few people on one side show a pose."
        return f'<h2>People</h2><section class="card notes">{told}</section>'
    pose = comparison.pose
    labels = (comparison.synthetic.labels, comparison.real.labels)
    heights = [body.height_px(each)[each.people] for each in labels]
    hidden = [body.occlusion(each, comparison.judged)[each.people] for each in labels]
    cards = {
        "Poses": plots.scatter(comparison.pose_map, "two main components of the poses as seen"),
        "Scale": plots.histograms(heights, "height standing upright, px", logarithmic=True),
        "Occlusion": plots.histograms(hidden, "share of keypoints hidden or not labelled"),
    }
    shown = "".join(
        f'<div class="card"><h3>{title}</h3>{plot}</div>' for title, plot in cards.items()
    )
    return (
        "<h2>People</h2>"
        f"<p>Energy distance of the poses as seen {_number(pose.value)}: {pose.share:.1%} of their "
        f"spread lies between the sets; as large by accident in {_chance(pose.p)} of permutations "
        f'of whole pictures.</p>{_legend()}<section class="plots">{shown}</section>'
    )


def _appearance(comparison: Comparison) -> str:
    there = comparison.appearance
    if there is None:
        told = "Not compared: it takes the pictures of both sets, of five people at least."
        return f'<h2>Pictures</h2><section class="card notes">{told}</section>'
    auc = there.classifier.auc
    kinds = ", ".join(f"{name} {share:.0%}" for name, share in _largest(there.kinds))
    shown = []
    for name, crops in pictures.telling(there.classifier.scores, there.crops, CROPS).items():
        figures = "".join(
            f'<figure><img alt="{escape(name)}" src="{pictures.embed(crop)}"></figure>'
            for crop in crops
        )
        if figures:
            shown.append(f'<div class="sub">{escape(name)}</div><div class="crops">{figures}</div>')
    return (
        "<h2>Pictures</h2>"
        f"<p>A classifier that never saw them tells real crops from synthetic ones with an AUC of "
        f"{_number(auc.value, 2)} ({_number(auc.low, 2)} to {_number(auc.high, 2)}; .5 is chance). "
        f"It goes by {escape(kinds)}. Kernel distance of the features (KID's kernel) "
        f"{_number(there.kernel.value)}, as large by accident in {_chance(there.kernel.p)} of "
        f'permutations.</p><section class="card">{"".join(shown)}</section>'
    )


def _largest(kinds: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(kinds.items(), key=lambda item: -item[1])


def _worst(comparison: Comparison) -> str:
    cards = []
    sides = (comparison.real, comparison.synthetic)
    for name, evaluation, folder in zip(("real", "synthetic"), sides, comparison.folders[::-1]):
        for person in worst_people(evaluation, comparison.judged, WORST):
            svg = pictures.draw(evaluation, person, folder)
            cards.append(
                f'<article class="card case"><div class="picture">{svg}</div><div class="text">'
                f'<p><span class="{name}-text"><b>{name}</b></span> mean error '
                f"{_number(person.error)}, the largest at "
                f'<span class="mono">{skeleton.NAMES[person.keypoint]}</span></p>'
                f'<p class="where mono">{escape(person.file_name)}, annotation '
                f"{person.annotation_id}</p></div></article>"
            )
    return worst_section(cards)


def _method(comparison: Comparison) -> str:
    lines = (
        "A gap is real less synthetic. Its interval of 95% and its p come from dealing pictures "
        "(or sequences) out to the two sides again, with everybody in them, and the gap over its "
        "own standard error: exact where the sides are alike, however few and uneven they are.",
        f"Matched: each real person against the up to {NEIGHBOURS} synthetic people nearest in the "
        "main components of the pose as seen, in height in pixels, in view and in the direction of "
        f"the trunk (within {TRUNK_DEG:.0f} degrees), no farther than {CALIPER_PERCENTILE:.0f}% of "
        "the people of either set are from the next one of their own; their weights are then "
        "changed as little as can be to bring the means together. What stays after matching is "
        "none of these, where the balance is reached; where it is not, nothing is shown.",
        "Level slip: a spine point nearer to the neighbouring level's label than to its own. "
        "Curvature: the turn between the tangents nearest to the endplates, in the picture; it is "
        "the clinical angle only from the side.",
        "Skill: 1 is exact, 0 no better than interpolating the spine from hip, neck and head.",
        "What differs: permutation tests of whole pictures, corrected for their number, of "
        "differences that are large enough to see; occluders, compression, blur, tone and noise "
        "one after the other. A keypoint is named where its mean offset differs beside what all "
        "have in common.",
        "Scores count as right from a keypoint similarity of .5 on.",
    )
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h2>How it is measured</h2><section class="card notes"><ul>{items}</ul></section>'
