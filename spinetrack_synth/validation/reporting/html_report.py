"""One self-contained page: summary, findings, distributions by keypoint, worst cases drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Final

import numpy as np

from spinetrack_synth import __version__
from spinetrack_synth.coco.document import Floats
from spinetrack_synth.coco.values import plain
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.engine import Report
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.reporting import by_rule, cut, drawing, plural
from spinetrack_synth.validation.rules import Rule

LIMIT: Final = 50
CASES: Final = 12
"""Worst cases that are drawn; each embeds a picture of some 30 KB."""


def render(report: Report, limit: int = LIMIT) -> str:
    """The page as one string: no scripts, no fonts, nothing from elsewhere."""
    css = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    titles = ", ".join(_text(dataset.path.name) for dataset in report.datasets)
    parts = [
        _head(report),
        _tiles(report),
        _files(report),
        _cases(report),
        _findings(report, limit),
        *(_keypoints(dataset, len(report.datasets) > 1) for dataset in report.datasets),
        _skipped(report),
        f"<footer>spinetrack-synth {__version__} validate</footer>",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{titles}: keypoint gate</title>\n<style>\n{css}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    return escape(plain(str(value)))


def _prose(text: str) -> str:
    """A text of ours, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))


def _worst(report: Report) -> Severity | None:
    return max((finding.severity for finding in report.findings), default=None)


def _head(report: Report) -> str:
    worst = _worst(report)
    name = " + ".join(_text(dataset.path.name) for dataset in report.datasets[:3])
    more = f" + {len(report.datasets) - 3} more" if len(report.datasets) > 3 else ""
    count = report.count(worst) if worst is not None else 0
    verdict = plural(count, str(worst)) if worst is not None else "clean"
    ran = len({rule.code for rule in report.rules} - {skip.rule.code for skip in report.skipped})
    return (
        f"<header><div><h1>{name}{more}</h1>"
        f'<p class="quiet">Keypoint gate: {plural(ran, "rule")} ran over '
        f"{plural(sum(len(d.annotations) for d in report.datasets), 'annotation')}.</p></div>"
        f'<span class="verdict {worst if worst is not None else "clean"}">{verdict}</span></header>'
    )


def _tiles(report: Report) -> str:
    touched = len({(f.file, f.row) for f in report.findings if f.row is not None})
    people = sum(len(dataset.annotations) for dataset in report.datasets)
    tiles = [
        ("error", report.count(Severity.ERROR), "errors"),
        ("warning", report.count(Severity.WARNING), "warnings"),
        ("info", report.count(Severity.INFO), "notes"),
        ("", touched, f"people touched, of {people:,}"),
        ("", len(report.accepted), "accepted by the baseline"),
    ]
    cells = [
        f'<div class="card tile {kind if count else "zero"}"><b>{count:,}</b>'
        f"<span>{label}</span></div>"
        for kind, count, label in tiles
    ]
    return f'<section class="tiles">{"".join(cells)}</section>'


def _files(report: Report) -> str:
    rows = []
    for dataset in report.datasets:
        points = int(dataset.labelled.sum())
        cells = [
            f'<td class="n" data-unit="{unit}">{count:,}</td>'
            for unit, count in (
                ("images", len(dataset.images)),
                ("annotations", len(dataset.annotations)),
                ("labelled points", points),
            )
        ]
        name = f'<td><span class="mono">{_text(dataset.path)}</span></td>'
        rows.append(f"<tr>{name}<td>{_text(dataset.skeleton)}</td>{''.join(cells)}</tr>")
    return (
        '<section class="card files"><table><tr class="names"><th>file</th><th>skeleton</th>'
        '<th class="n">images</th><th class="n">annotations</th>'
        f'<th class="n">labelled points</th></tr>{"".join(rows)}</table></section>'
    )


def _findings(report: Report, limit: int) -> str:
    groups = by_rule(report.findings)
    if not groups:
        return ""
    rules = {rule.code: rule for rule in report.rules}
    most = max(len(group) for group in groups.values())
    several = len(report.datasets) > 1
    details = [
        _rule_details(rules.get(code), group, most, limit, several)
        for code, group in groups.items()
    ]
    title = f"<h2>Findings <small>{plural(len(report.findings), 'finding')} of "
    title += f"{plural(len(groups), 'rule')}, the worst first</small></h2>"
    return f'{title}<section class="card rules">{"".join(details)}</section>'


def _rule_details(
    rule: Rule | None, group: Sequence[Finding], most: int, limit: int, several: bool
) -> str:
    first = group[0]
    severity = max(finding.severity for finding in group)
    kept, left = cut(group, limit)
    items = []
    for finding in kept:
        where = f"{finding.file.name}: {finding.place}" if several else finding.place
        items.append(f"<li>{_text(finding.message)}<br><code>{_text(where)}</code></li>")
    if left:
        items.append(f'<li class="quiet">{left:,} more</li>')
    summary = _prose(rule.summary) if rule else _text(first.name)
    reason = f"<p>{_prose(rule.reason)}</p>" if rule else ""
    width = 100 * np.log1p(len(group)) / np.log1p(most)
    return (
        f'<details><summary><span class="tag {severity}">{first.code}</span>'
        f'<span class="title"><b>{_text(first.name)}</b> '
        f'<span class="quiet">{summary}</span></span>'
        f'<span class="meter"><i class="{severity}" style="width:{width:.1f}%"></i></span>'
        f'<span class="count">{len(group):,}</span></summary>'
        f'<div class="body">{reason}<ul>{"".join(items)}</ul></div></details>'
    )


def _cases(report: Report) -> str:
    """The people with the worst findings, drawn."""
    of_person: dict[tuple[int, int], list[Finding]] = {}
    number_of = {dataset.path: number for number, dataset in enumerate(report.datasets)}
    for finding in report.findings:
        if finding.row is not None and finding.severity > Severity.INFO:
            of_person.setdefault((number_of[finding.file], finding.row), []).append(finding)
    seen: Counter[str] = Counter()
    chosen: list[tuple[int, int]] = []
    # Every kind of fault is shown once before any is shown twice.
    ranked = sorted(of_person.items(), key=lambda item: (-_weight(item[1]), item[0]))
    for most in (1, 3, CASES):
        for key, findings in ranked:
            if key not in chosen and len(chosen) < CASES and seen[findings[0].code] < most:
                seen[findings[0].code] += 1
                chosen.append(key)
    if not chosen:
        return ""
    chosen.sort(key=lambda key: -_weight(of_person[key]))
    cards = [_case(report.datasets[n], row, of_person[n, row]) for n, row in chosen]
    more = f"{len(chosen)} of {plural(len(of_person), 'touched person')}".replace(
        "persons", "people"
    )
    legend = _legend(
        (drawing.SPINE_COLOR, "spine"),
        (drawing.LEFT_COLOR, "subject's left"),
        (drawing.RIGHT_COLOR, "subject's right"),
        (drawing.MEANT_COLOR, "meant by the finding"),
        (drawing.FITTED_COLOR, "fitted body"),
    )
    return (
        f"<h2>Worst cases <small>{more}</small></h2>{legend}"
        f'<section class="cases">{"".join(cards)}</section>'
    )


def _weight(findings: Sequence[Finding]) -> float:
    return max(f.severity for f in findings) * 1000 + min(len(findings), 99)


def _case(dataset: Dataset, row: int, findings: Sequence[Finding]) -> str:
    shown = [
        f'<p><span class="tag {finding.severity}">{finding.code}</span>{_text(finding.message)}</p>'
        for finding in findings[:3]
    ]
    if len(findings) > 3:
        shown.append(f'<p class="quiet">{len(findings) - 3} more</p>')
    where = _text(findings[0].place)
    picture = drawing.draw_person(dataset, row, findings)
    return (
        f'<article class="card case"><div class="picture">{picture}'
        f'</div><div class="text">{"".join(shown)}<p class="where mono">{where}</p></div></article>'
    )


def _legend(*entries: tuple[str, str]) -> str:
    cells = [f'<span><i style="background:{color}"></i>{name}</span>' for color, name in entries]
    return f'<div class="legend">{"".join(cells)}</div>'


def _keypoints(dataset: Dataset, several: bool) -> str:
    """How often each keypoint is visible, hidden, absent, and where in its box it lies."""
    category = next((n for n, names in enumerate(dataset.names) if names), None)
    names = dataset.names[category] if category is not None else None
    people = dataset.labelled.any(1)
    if not names or category is None or not people.any():
        return ""
    people &= dataset.category_row == category
    v = np.where(dataset.labelled, dataset.keypoints[..., 2], 0)[people]
    with np.errstate(invalid="ignore", divide="ignore"):
        down = (dataset.keypoints[..., 1] - dataset.boxes[:, 1:2]) / dataset.boxes[:, 3:4]
    down = np.where(dataset.labelled, down, np.nan)[people]
    rows = [
        _point(name, v[:, index], down[:, index]) for index, name in enumerate(names[: v.shape[1]])
    ]
    title = f" in {_text(dataset.path.name)}" if several else ""
    legend = _legend(
        ("var(--visible)", "visible"),
        ("var(--hidden)", "hidden"),
        ("var(--absent)", "not labelled"),
    )
    head = (
        '<div class="point head"><span>keypoint</span><span>share of people</span>'
        '<span class="share"></span><span class="last">place down the box: middle, '
        "5 to 95%</span></div>"
    )
    return (
        f"<h2>Keypoints{title} <small>{plural(int(people.sum()), 'labelled person')}</small></h2>"
        f"{legend}"
        f'<section class="card points">{head}{"".join(rows)}</section>{_charts(dataset)}'
    ).replace("labelled persons", "labelled people")


def _point(name: str, v: Floats, down: Floats) -> str:
    visible, hidden = float((v == 2).mean()), float((v == 1).mean())
    absent = max(1 - visible - hidden, 0.0)
    bars = [
        f'<i style="width:{100 * share:.2f}%;background:var(--{kind})"></i>'
        for kind, share in (("visible", visible), ("hidden", hidden), ("absent", absent))
        if share > 0
    ]
    usual = ""
    places = down[np.isfinite(down)]
    if len(places):
        low, middle, high = np.clip(np.percentile(places, [5, 50, 95]), 0, 1) * 100
        usual = (
            f'<i style="left:{low:.1f}%;width:{max(high - low, 0.5):.1f}%"></i>'
            f'<b style="left:{middle:.1f}%"></b>'
        )
    hint = f"visible {visible:.1%}, hidden {hidden:.1%}, not labelled {absent:.1%}"
    return (
        f'<div class="point" title="{_text(name)}: {hint}"><span class="mono">{_text(name)}</span>'
        f'<span class="stack">{"".join(bars)}</span><span class="share">{visible:.0%}'
        f'<span class="share hiddenpart"> + {hidden:.0%}</span></span>'
        f'<span class="range">{usual}</span></div>'
    )


def _charts(dataset: Dataset) -> str:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        heights = 100 * dataset.boxes[:, 3] / dataset.sizes[:, 1]
    counts = dataset.labelled.sum(1).astype(np.float64)
    people = np.bincount(dataset.image_row[dataset.image_row >= 0], minlength=len(dataset.images))
    most = float(dataset.keypoints.shape[1])
    charts = [
        _histogram("Height of the people", "% of the image", heights, 0, 100, 20),
        _histogram("Labelled keypoints", "of a person", counts, 0, most + 1, int(most) + 1),
        _histogram("People", "in an image", people.astype(np.float64), 0, 12, 12),
    ]
    return f'<section class="charts">{"".join(charts)}</section>'


def _histogram(title: str, unit: str, values: Floats, low: float, high: float, bins: int) -> str:
    values = values[np.isfinite(values)]
    if not len(values):
        return ""
    counts, _ = np.histogram(np.clip(values, low, high - 1e-9), bins=bins, range=(low, high))
    width, height = 300, 96
    step = width / bins
    bars = []
    for number, count in enumerate(counts):
        if count:
            tall = max(height * count / counts.max(), 1.5)
            bars.append(
                f'<rect x="{number * step + 0.75:.2f}" y="{height - tall:.2f}" rx="1.5" '
                f'width="{step - 1.5:.2f}" height="{tall:.2f}" fill="var(--visible)">'
                f"<title>{low + number * (high - low) / bins:g}: {count:,}</title></rect>"
            )
    last = high if (high - low) / bins > 1 else high - 1
    ticks = (
        f'<text x="0" y="{height + 15}">{low:g}</text>'
        f'<text x="{width}" y="{height + 15}" text-anchor="end">{last:g}</text>'
    )
    return (
        f'<div class="card chart"><h3>{title} <span class="quiet">{unit}</span></h3>'
        f'<svg viewBox="0 0 {width} {height + 20}" role="img" aria-label="{title}">'
        f'<line x1="0" x2="{width}" y1="{height}" y2="{height}" stroke="var(--line)"/>'
        f"{''.join(bars)}{ticks}</svg></div>"
    )


def _skipped(report: Report) -> str:
    reasons: dict[str, list[str]] = {}
    for skip in report.skipped:
        codes = reasons.setdefault(skip.reason, [])
        if skip.rule.code not in codes:
            codes.append(skip.rule.code)
    if not reasons:
        return ""
    items = [
        f"<li>{_text(reason)}: <code>{', '.join(codes)}</code></li>"
        for reason, codes in reasons.items()
    ]
    return f'<h2>Not checked</h2><section class="card skips"><ul>{"".join(items)}</ul></section>'
