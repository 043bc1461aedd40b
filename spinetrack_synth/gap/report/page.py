"""A comparison as one page that needs nothing else: no scripts, no fonts, no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from spinetrack_synth import skeleton
from spinetrack_synth.drawing.pages import number, render_page, signed
from spinetrack_synth.gap import measures, oks, person_attributes, taxonomy
from spinetrack_synth.gap.calibration import Calibration
from spinetrack_synth.gap.comparison import (
    Appearance,
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
from spinetrack_synth.gap.report import examples, plots
from spinetrack_synth.gap.report.data import ANSWERED, NOT_ANSWERED

CROPS: Final = 6
SIDES: Final = ("synthetic", "real")
FAMILY: Final = (
    f"corrected for all rows of the table (Benjamini and Hochberg): at most "
    f"{FALSE_DISCOVERIES:.0%} of those told are there by accident"
)
METHOD: Final = (
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

Values = dict[str, Any]
"""What a part of the template asks for by name."""


def render(comparison: Comparison, model: str, judged: Sequence[Judged] = ()) -> str:
    """The page as one string."""
    verdict, kind = _verdict(comparison)
    pose, there = comparison.pose, comparison.appearance
    return render_page(
        "gap/report/comparison.html",
        title="Synthetic and real: the gap",
        model=model,
        seed=comparison.seed,
        resamples=comparison.resamples,
        sets=[_set(e) for e in (comparison.synthetic, comparison.real)],
        verdict=verdict,
        kind=kind,
        sentence=_sentence(comparison),
        gates=judged,
        answers=ANSWERED,
        not_answered=NOT_ANSWERED,
        cannot=_cannot(comparison),
        warnings=comparison.warnings,
        drawn=_drawn(comparison),
        headlines=_headlines(comparison),
        causes=_causes(comparison),
        matching=comparison.matching,
        balance=_balance(comparison),
        imbalance=(MOST_IMBALANCE, GOOD_BALANCE),
        precision=_precision(comparison),
        baselines=_baselines(comparison),
        keypoints=_keypoints(comparison),
        family=FAMILY,
        legend_of_sides=[(side, f"var(--{side})") for side in SIDES],
        kinds_of_error=[(k, f"var(--kind-{_key(k)})") for k in taxonomy.KINDS],
        kinds=_kinds(comparison),
        curves=_curves(comparison),
        strata=_strata(comparison),
        pose=None if pose is None else {
            "value": pose.value,
            "share": f"{pose.share:.1%}",
            "chance": _chance(pose.p),
            "plots": _poses(comparison),
        },
        appearance=None if there is None else {
            "auc": there.classifier.auc,
            "kinds": _largest(there),
            "distance": there.kernel.value,
            "chance": _chance(there.kernel.p),
            "crops": _crops(there),
        },
        worst_people=_worst(comparison),
        method=METHOD,
    )  # fmt: skip


def _verdict(comparison: Comparison) -> tuple[str, str]:
    """One line, and the class that colours it."""
    group = widest_group(comparison.judged)
    if group is None:
        return "nothing to compare", "info"
    gap = comparison.gaps[f"{group}.error"]
    if not math.isfinite(gap.gap.low):
        return "too few to tell", "info"
    if not gap.clear:
        return "no clear gap", "clean"
    ratio = gap.real.value / gap.synthetic.value if gap.synthetic.value > 0 else math.nan
    times = f"{ratio:.2f} times" if math.isfinite(ratio) else "no clear multiple of"
    return f"{times} the error on real", "error" if gap.harm > 0 else "clean"


def _sentence(comparison: Comparison) -> str:
    """The gap of the widest group of keypoints in words."""
    group = widest_group(comparison.judged)
    if group is None:
        return ""
    gap = comparison.gaps[f"{group}.error"]
    of = len(oks.GROUPS[group])
    there = int(comparison.judged[list(oks.GROUPS[group])].sum())
    share = f"{there} of the {of}" if there < of else f"all {of}" if group == "all" else f"the {of}"
    which = f"{share} keypoints" if group == "all" else f"{share} {group} keypoints"
    sure = "; there are too few pictures to say how sure that is."
    if math.isfinite(gap.gap.low):
        sure = f", with 95% confidence between {signed(gap.gap.low)} and {signed(gap.gap.high)}."
    even = comparison.matched.get(f"{group}.error")
    matched = "The sets' people are not comparable in pose and scale (see Matching)."
    if even is not None:
        matched = (
            f"Among people alike in pose, scale, view and lie of the trunk it is "
            f"{signed(even.gap.value)} ({signed(even.gap.low)} to {signed(even.gap.high)})."
        )
    return (
        f"Over {which} the mean error is {number(gap.synthetic.value)} of the box's diagonal on "
        f"synthetic labels and {number(gap.real.value)} on real ones: a gap of "
        f"{signed(gap.gap.value)}{sure} {matched}"
    )


def _set(evaluation: Evaluation) -> Values:
    labels = evaluation.labels
    return {
        "name": labels.path.name,
        "people": int(labels.people.sum()),
        "pictures": len(labels.image_ids),
    }


def _cannot(comparison: Comparison) -> str:
    """What cannot be judged; "" where everything can."""
    missing = [skeleton.NAMES[k] for k in np.flatnonzero(~comparison.judged)]
    lacking = [g for g in ("body", "feet", "spine") if g not in oks.groups_of(comparison.judged)]
    if not missing:
        return ""
    return (
        f"{' and '.join(lacking) or 'single points'}; of the 37 keypoints these are not on both "
        f"sides: {', '.join(missing)}."
    )


def _drawn(comparison: Comparison) -> str:
    kinds = {side.labels.clustered_by for side in (comparison.synthetic, comparison.real)}
    return " and ".join(f"{kind}s" if not kind.endswith("_id") else kind for kind in sorted(kinds))


def _headlines(comparison: Comparison) -> list[Values]:
    return [
        _row(measures.title(name), comparison.gaps[name], comparison.matched.get(name))
        for name in measures.HEADLINES
        if name in comparison.gaps and math.isfinite(comparison.gaps[name].gap.value)
    ]


def _row(title: str, gap: Gap, matched: Gap | None) -> Values:
    ends = [gap.gap.value, gap.gap.low, gap.gap.high]
    if matched is not None:
        ends += [matched.gap.value, matched.gap.low, matched.gap.high]
    axis = plots.span(ends, with_zero=True)
    return {
        "title": title,
        "gap": gap,
        "color": _color(gap) if gap.better else "",
        "matched": matched,
        "plot": plots.whisker(gap.gap, axis, "gap", None if matched is None else matched.gap),
    }


def _color(gap: Gap) -> str:
    return "" if not gap.clear else "worse" if gap.harm > 0 else "better"


def _balance(comparison: Comparison) -> list[Values]:
    """How far apart the people were before and after matching."""
    balance = comparison.matching.balance
    ends = [value for each in balance for value in (each.before, each.after)]
    limits = plots.span([*ends, -MOST_IMBALANCE, MOST_IMBALANCE])
    return [
        {
            "name": each.name,
            "sizes": [
                (f"{size:+.2f}" if math.isfinite(size) else "–", abs(size) > MOST_IMBALANCE)
                for size in (each.before, each.after)
            ],
            "plot": plots.balance(each.before, each.after, limits, MOST_IMBALANCE),
        }
        for each in balance
    ]


def _causes(comparison: Comparison) -> list[Values]:
    made = shares(comparison)
    causes = []
    for cause in comparison.causes:
        key = next((name for name in comparison.costs if cause.name in name.split(" and ")), "")
        cost, share = comparison.costs.get(key), made.get(key, math.nan)
        causes.append({
            "name": cause.name,
            "told": cause.told,
            "effect": abs(cause.effect),
            "chance": _chance(cause.p),
            "cost": cost if cost is not None and math.isfinite(cost.value) else None,
            "share": f"{share:.0%}" if math.isfinite(share) else "",
            "width": 100 * min(max(share, 0.0), 1.0),
        })  # fmt: skip
    return causes


def _chance(p: float) -> str:
    return f"{p:.1%}" if p >= 0.001 else "under 0.1%"


def _precision(comparison: Comparison) -> list[Values]:
    return [
        _row(f"{oks.group_title(group, comparison.judged)} {kind}", gap, None)
        for name, gap in comparison.precision.items()
        for group, kind in [name.split(".")]
    ]


def _baselines(comparison: Comparison) -> str:
    return "; ".join(
        f"{side} {', '.join(f'{name} {ap:.3f}' for name, ap in evaluation.baselines.items())}"
        for side, evaluation in zip(SIDES, (comparison.synthetic, comparison.real))
        if evaluation.baselines and "spine" in oks.groups_of(comparison.judged)
    )


def _keypoints(comparison: Comparison) -> Values:
    names = [skeleton.NAMES[k] for k in np.flatnonzero(comparison.judged)]
    gaps = {name: comparison.gaps[f"keypoint.{name}.error"] for name in names}
    both = [found for gap in gaps.values() for found in (gap.synthetic, gap.real)]
    ends = [value for found in both for value in (found.value, found.low, found.high)]
    limits = plots.span([*ends, 0.0])
    return {
        "axis": f"0 to {limits[1]:.3f}",
        "rows": [
            {
                "name": name,
                "gap": gap,
                "color": _color(gap),
                "matched": comparison.matched.get(f"keypoint.{name}.error"),
                "plot": plots.pair(gap.synthetic, gap.real, limits),
            }
            for name, gap in sorted(gaps.items(), key=lambda item: -_finite(item[1].gap.value))
        ],
    }


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _key(kind: str) -> str:
    return kind.replace(" ", "_")


def _kinds(comparison: Comparison) -> list[Values]:
    """Shares of the kinds of error by group and side."""
    rows = []
    for group in oks.groups_of(comparison.judged):
        for side in SIDES:
            found = {k: comparison.gaps.get(f"{group}.{_key(k)}") for k in taxonomy.KINDS}
            parts = {k: getattr(gap, side).value for k, gap in found.items() if gap is not None}
            rows.append({
                "group": group if side == "synthetic" else "",
                "side": side,
                "bars": [
                    (_key(kind), f"{100 * share:.2f}", f"{kind}: {share:.1%}")
                    for kind, share in parts.items()
                    if share > 0
                ],
            })  # fmt: skip
    return rows


def _curves(comparison: Comparison) -> list[Values]:
    cards: list[Values] = []
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
        cards.append({"title": f"PCK, {group}", "plot": plot, "told": ""})
    sides = {"synthetic": comparison.synthetic, "real": comparison.real}
    lines = [(name, _filled(e.calibration), e.calibration.correct) for name, e in sides.items()]
    told = ", ".join(
        f"{name} ECE {number(e.calibration.ece)}, AUROC {number(e.calibration.auroc)}"
        for name, e in sides.items()
    )
    plot = plots.curves(lines, "score", 1.0, diagonal=True)
    return [*cards, {"title": "Calibration", "plot": plot, "told": told}]


def _filled(calibration: Calibration) -> np.ndarray:
    return np.where(calibration.count > 0, calibration.score, np.nan)


def _strata(comparison: Comparison) -> Values | None:
    group = widest_group(comparison.judged)
    if group is None:
        return None
    name = f"{group}.error"
    spine = "spine.error_length"
    gaps = [each.gaps[name].gap for each in comparison.strata if name in each.gaps]
    ends = [value for found in gaps for value in (found.value, found.low, found.high)]
    limits = plots.span(ends, with_zero=True)
    by: dict[str, list[Values]] = {}
    for each in comparison.strata:
        gap = each.gaps.get(name)
        by.setdefault(each.by, []).append({
            "name": _stratum(comparison, each),
            "people": f"{each.synthetic_people:,}, {each.real_people:,}",
            "gap": gap,
            "color": "" if gap is None else _color(gap),
            "plot": "" if gap is None else plots.whisker(gap.gap, limits, "gap"),
            "spine": each.gaps.get(spine),
        })  # fmt: skip
    return {"title": measures.title(name), "spine": measures.TITLES[spine], "by": by}


def _stratum(comparison: Comparison, each: Stratum) -> str | Markup:
    """Its name, or the pose that its people have."""
    if each.by != "pose":
        return each.name
    return plots.pictogram(comparison.clusters.centres[int(each.name.split()[1]) - 1])


def _poses(comparison: Comparison) -> dict[str, Markup]:
    labels = (comparison.synthetic.labels, comparison.real.labels)
    heights = [person_attributes.height_px(each)[each.people] for each in labels]
    hidden = [person_attributes.occlusion(each, comparison.judged)[each.people] for each in labels]
    return {
        "Poses": plots.scatter(comparison.pose_map, "two main components of the poses as seen"),
        "Scale": plots.histograms(heights, "height standing upright, px", logarithmic=True),
        "Occlusion": plots.histograms(hidden, "share of keypoints hidden or not labelled"),
    }


def _crops(there: Appearance) -> dict[str, list[str]]:
    """Addresses of the most telling crops by what they tell."""
    told = examples.telling(there.classifier.scores, there.crops, CROPS)
    return {name: [examples.embed(crop) for crop in crops] for name, crops in told.items() if crops}


def _largest(there: Appearance) -> str:
    kinds = sorted(there.kinds.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {share:.0%}" for name, share in kinds)


def _worst(comparison: Comparison) -> list[Values]:
    synthetic, real = comparison.folders
    return [
        *examples.worst_cards(comparison.real, comparison.judged, real, "real"),
        *examples.worst_cards(comparison.synthetic, comparison.judged, synthetic, "synthetic"),
    ]
