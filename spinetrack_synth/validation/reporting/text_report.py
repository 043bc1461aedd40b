"""For people at a terminal: findings grouped by rule, the worst first."""

from __future__ import annotations

from itertools import groupby
from typing import Final

import click

from spinetrack_synth.validation.engine import Report
from spinetrack_synth.validation.findings import Severity
from spinetrack_synth.validation.reporting import by_rule, cut, plural

COLORS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
DEFAULT_LIMIT: Final = 10


def render(report: Report, limit: int = DEFAULT_LIMIT) -> str:
    """The report with colours; ``click.echo`` removes them where nobody sees them."""
    lines: list[str] = []
    for dataset in report.datasets:
        people, images = len(dataset.annotations), len(dataset.images)
        size = f"{plural(people, 'annotation')} in {plural(images, 'image')}"
        lines.append(click.style(str(dataset.path), bold=True) + f"  {size}, {dataset.skeleton}")
    several = len(report.datasets) > 1
    for code, group in by_rule(report.findings).items():
        severity = max(finding.severity for finding in group)
        lines.append("")
        lines.append(
            click.style(code, fg=COLORS[severity], bold=True)
            + f" {group[0].name}  "
            + click.style(str(severity), fg=COLORS[severity])
            + f", {plural(len(group), 'finding')}"
        )
        kept, left = cut(group, limit)
        for finding in kept:
            where = f"{finding.file.name}: " if several else ""
            lines.append(f"  {where}{click.style(finding.place, fg='cyan')}: {finding.message}")
        if left:
            hint = "--max-findings 0 shows all"
            lines.append(click.style(f"  ... {left:,} more ({hint})", dim=True))
    lines += _skipped(report)
    lines += ["", _summary(report)]
    return "\n".join(lines) + "\n"


def _skipped(report: Report) -> list[str]:
    lines = []
    reasons = sorted({(skip.reason, skip.rule.code) for skip in report.skipped})
    for reason, group in groupby(reasons, key=lambda pair: pair[0]):
        codes = [code for _, code in group]
        named = ", ".join(codes) if len(codes) <= 4 else f"{codes[0]} .. {codes[-1]}"
        skipped = plural(len(codes), "rule")
        lines.append(click.style(f"skipped {skipped} ({named}): {reason}", dim=True))
    return ["", *lines] if lines else []


def _summary(report: Report) -> str:
    ran = len({rule.code for rule in report.rules} - {skip.rule.code for skip in report.skipped})
    accepted = f"; {len(report.accepted):,} accepted by the baseline" if report.accepted else ""
    if not report.findings:
        return (
            click.style("clean", fg="green", bold=True) + f": {plural(ran, 'rule')} ran{accepted}"
        )
    parts = [
        click.style(plural(report.count(severity), str(severity)), fg=COLORS[severity], bold=True)
        for severity in reversed(Severity)
        if report.count(severity)
    ]
    first = min(by_rule(report.findings), default="")
    hint = f"`spinetrack-synth rules {first}` explains a rule"
    return ", ".join(parts) + accepted + "; " + hint
