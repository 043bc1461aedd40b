"""Annotations that GitHub Actions shows beside a change."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spinetrack_synth.validation.engine import Report
from spinetrack_synth.validation.findings import Severity
from spinetrack_synth.validation.reporting import by_rule, cut
from spinetrack_synth.validation.reporting.lines import Lines

LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, limit: int = 10) -> str:
    """One workflow command a finding; GitHub shows ten of a kind in a step, so it is cut there."""
    lines = {finding.file: Lines(finding.file) for finding in report.findings}
    told = []
    for group in by_rule(report.findings).values():
        kept, left = cut(group, limit)
        for finding in kept:
            line = lines[finding.file].of(finding.place)
            title = _property(f"{finding.code} {finding.name}")
            where = f"file={_property(_below_here(finding.file))},line={line},title={title}"
            message = _data(f"{finding.place}: {finding.message}")
            told.append(f"::{LEVELS[finding.severity]} {where}::{message}")
        if left:
            level = LEVELS[group[0].severity]
            told.append(f"::{level} title={_property(group[0].code)}::{left:,} more findings")
    return "\n".join(told) + "\n" if told else ""


def _below_here(path: Path) -> str:
    """The path from the current folder, which in a workflow is the repository's root."""
    absolute, here = path.resolve(), Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else path).as_posix()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
