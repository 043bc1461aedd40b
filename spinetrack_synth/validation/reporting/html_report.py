"""One self-contained page: summary, findings, distributions by keypoint, worst cases drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from spinetrack_synth.coco.document import Floats
from spinetrack_synth.coco.picture_paths import locate, picture_folders
from spinetrack_synth.coco.values import plain
from spinetrack_synth.drawing import palette
from spinetrack_synth.drawing.cards import person_card
from spinetrack_synth.drawing.pages import render_page
from spinetrack_synth.drawing.svg import drawing, element
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.engine import Report
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.reporting import by_rule, cut, plural
from spinetrack_synth.validation.reporting.people import person_of
from spinetrack_synth.validation.rules import Rule

LIMIT: Final = 50
CASES: Final = 12
"""Worst cases that are drawn; each embeds a picture of some 30 KB."""
DRAWN: Final = (
    ("spine", palette.SPINE_COLOR),
    ("subject's left", palette.LEFT_COLOR),
    ("subject's right", palette.RIGHT_COLOR),
    ("meant by the finding", palette.RING_COLOR),
    ("fitted body", palette.FITTED_COLOR),
    ("mask", palette.MASK_COLOR),
)

Values = dict[str, Any]
"""What a part of the template asks for by name."""


def render(report: Report, limit: int = LIMIT) -> str:
    """The page as one string: no scripts, no fonts, nothing from elsewhere."""
    worst = max((finding.severity for finding in report.findings), default=None)
    ran = len({rule.code for rule in report.rules} - {skip.rule.code for skip in report.skipped})
    people = sum(len(dataset.annotations) for dataset in report.datasets)
    groups = by_rule(report.findings)
    several = len(report.datasets) > 1
    names = [plain(dataset.path.name) for dataset in report.datasets]
    touched = _touched(report)
    return render_page(
        "validation/reporting/report.html",
        title=", ".join(names) + ": keypoint gate",
        name=" + ".join(names[:3]) + (f" + {len(names) - 3} more" if len(names) > 3 else ""),
        ran=plural(ran, "rule"),
        people=plural(people, "annotation"),
        worst="clean" if worst is None else str(worst),
        verdict="clean" if worst is None else plural(report.count(worst), str(worst)),
        counts=_counts(report, people),
        files=[_file(dataset) for dataset in report.datasets],
        cases=_cases(report, touched),
        touched=plural(len(touched), "touched person").replace("persons", "people"),
        drawn=[(name, palette.hexadecimal(color)) for name, color in DRAWN],
        found=f"{plural(len(report.findings), 'finding')} of {plural(len(groups), 'rule')}",
        rules=_rules(report, limit),
        keypoints=[each for d in report.datasets if (each := _keypoints(d, several))],
        skipped=_skipped(report),
    )


def _counts(report: Report, people: int) -> list[tuple[str, str, str]]:
    touched = len({(f.file, f.row) for f in report.findings if f.row is not None})
    tiles = [
        ("errors", report.count(Severity.ERROR), "error"),
        ("warnings", report.count(Severity.WARNING), "warning"),
        ("notes", report.count(Severity.INFO), "info"),
        (f"people touched, of {people:,}", touched, ""),
        ("accepted by the baseline", len(report.accepted), ""),
    ]
    return [(text, f"{count:,}", kind if count else "zero") for text, count, kind in tiles]


def _file(dataset: Dataset) -> Values:
    return {
        "name": plain(str(dataset.path)),
        "skeleton": plain(dataset.skeleton),
        "counts": {
            "images": len(dataset.images),
            "annotations": len(dataset.annotations),
            "labelled points": int(dataset.labelled.sum()),
        },
    }


def _rules(report: Report, limit: int) -> list[Values]:
    groups = by_rule(report.findings)
    rules = {rule.code: rule for rule in report.rules}
    most = max((len(group) for group in groups.values()), default=0)
    several = len(report.datasets) > 1
    return [_rule(rules.get(code), group, most, limit, several) for code, group in groups.items()]


def _rule(
    rule: Rule | None, group: Sequence[Finding], most: int, limit: int, several: bool
) -> Values:
    first = group[0]
    kept, left = cut(group, limit)
    return {
        "code": first.code,
        "name": plain(first.name),
        "severity": str(max(finding.severity for finding in group)),
        "summary": plain(rule.summary if rule else first.name),
        "reason": plain(rule.reason) if rule else "",
        "width": 100 * np.log1p(len(group)) / np.log1p(most),
        "count": len(group),
        "findings": [
            (plain(f.message), plain(f"{f.file.name}: {f.place}" if several else f.place))
            for f in kept
        ],
        "left": left,
    }


def _touched(report: Report) -> dict[tuple[int, int], list[Finding]]:
    """What is worse than a note, by the dataset's number and the person's row."""
    of_person: dict[tuple[int, int], list[Finding]] = {}
    number_of = {dataset.path: number for number, dataset in enumerate(report.datasets)}
    for finding in report.findings:
        if finding.row is not None and finding.severity > Severity.INFO:
            of_person.setdefault((number_of[finding.file], finding.row), []).append(finding)
    return of_person


def _cases(report: Report, of_person: dict[tuple[int, int], list[Finding]]) -> list[Values]:
    """The people with the worst findings, drawn."""
    seen: Counter[str] = Counter()
    chosen: list[tuple[int, int]] = []
    # Every kind of fault is shown once before any is shown twice.
    ranked = sorted(of_person.items(), key=lambda item: (-_weight(item[1]), item[0]))
    for most in (1, 3, CASES):
        for key, findings in ranked:
            if key not in chosen and len(chosen) < CASES and seen[findings[0].code] < most:
                seen[findings[0].code] += 1
                chosen.append(key)
    chosen.sort(key=lambda key: -_weight(of_person[key]))
    return [_case(report.datasets[n], row, of_person[n, row]) for n, row in chosen]


def _weight(findings: Sequence[Finding]) -> float:
    return max(f.severity for f in findings) * 1000 + min(len(findings), 99)


def _case(dataset: Dataset, row: int, findings: Sequence[Finding]) -> Values:
    image_row = int(dataset.image_row[row])
    record = dataset.images[image_row] if image_row >= 0 else {}
    picture = locate(record.get("file_name"), picture_folders(dataset))
    return {
        "picture": person_card(person_of(dataset, row, findings), picture, dataset.sizes[row]),
        "shown": [
            {"severity": str(f.severity), "code": f.code, "message": plain(f.message)}
            for f in findings[:3]
        ],
        "more": max(len(findings) - 3, 0),
        "where": plain(findings[0].place),
    }


def _keypoints(dataset: Dataset, several: bool) -> Values | None:
    """How often each keypoint is visible, hidden, absent, and where in its box it lies."""
    category = next((n for n, names in enumerate(dataset.names) if names), None)
    names = dataset.names[category] if category is not None else None
    people = dataset.labelled.any(1)
    if not names or category is None or not people.any():
        return None
    people &= dataset.category_row == category
    v = np.where(dataset.labelled, dataset.keypoints[..., 2], 0)[people]
    with np.errstate(invalid="ignore", divide="ignore"):
        down = (dataset.keypoints[..., 1] - dataset.boxes[:, 1:2]) / dataset.boxes[:, 3:4]
    down = np.where(dataset.labelled, down, np.nan)[people]
    told = plural(int(people.sum()), "labelled person")
    return {
        "title": f" in {plain(dataset.path.name)}" if several else "",
        "people": told.replace("labelled persons", "labelled people"),
        "points": [
            _point(name, v[:, index], down[:, index])
            for index, name in enumerate(names[: v.shape[1]])
        ],
        "charts": _charts(dataset),
    }


def _point(name: str, v: Floats, down: Floats) -> Values:
    visible, hidden = float((v == 2).mean()), float((v == 1).mean())
    absent = max(1 - visible - hidden, 0.0)
    places = down[np.isfinite(down)]
    return {
        "name": plain(name),
        "hint": f"visible {visible:.1%}, hidden {hidden:.1%}, not labelled {absent:.1%}",
        "shares": {"visible": visible, "hidden": hidden, "absent": absent},
        "range": (
            (np.clip(np.percentile(places, [5, 50, 95]), 0, 1) * 100).tolist()
            if len(places)
            else ()
        ),
    }


def _charts(dataset: Dataset) -> list[Values]:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        heights = 100 * dataset.boxes[:, 3] / dataset.sizes[:, 1]
    counts = dataset.labelled.sum(1).astype(np.float64)
    people = np.bincount(dataset.image_row[dataset.image_row >= 0], minlength=len(dataset.images))
    most = float(dataset.keypoints.shape[1])
    charts = [
        ("Height of the people", "% of the image", heights, 100.0, 20),
        ("Labelled keypoints", "of a person", counts, most + 1, int(most) + 1),
        ("People", "in an image", people.astype(np.float64), 12.0, 12),
    ]
    return [
        {"title": title, "unit": unit, "plot": _histogram(title, values, high, bins)}
        for title, unit, values, high, bins in charts
        if np.isfinite(values).any()
    ]


def _histogram(title: str, values: Floats, high: float, bins: int) -> Markup:
    """How many of the values lie in each bin of 0..high."""
    values = values[np.isfinite(values)]
    counts, _ = np.histogram(np.clip(values, 0, high - 1e-9), bins=bins, range=(0, high))
    width, height = 300.0, 96.0
    step = width / bins
    parts = [element("line", x1=0, x2=width, y1=height, y2=height, stroke="var(--line)")]
    for place, count in enumerate(counts.tolist()):
        if count:
            tall = max(height * count / counts.max(), 1.5)
            told = element("title", f"{place * high / bins:g}: {count:,}")
            parts.append(
                element(
                    "rect", told, x=place * step + 0.75, y=height - tall, rx=1.5,
                    width=step - 1.5, height=tall, fill="var(--visible)",
                )
            )  # fmt: skip
    last = high if high / bins > 1 else high - 1
    parts.append(element("text", "0", x=0, y=height + 15))
    parts.append(element("text", f"{last:g}", x=width, y=height + 15, text_anchor="end"))
    return drawing((0, 0, width, height + 20), parts, title)


def _skipped(report: Report) -> dict[str, list[str]]:
    """Codes of rules by the reason why they did not run."""
    reasons: dict[str, list[str]] = {}
    for skip in report.skipped:
        codes = reasons.setdefault(plain(skip.reason), [])
        if skip.rule.code not in codes:
            codes.append(skip.rule.code)
    return reasons
