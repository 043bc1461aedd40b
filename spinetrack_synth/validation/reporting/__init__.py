"""Reports for people and for machines. Each reporter is a function from a Report to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.validation.findings import Finding

if TYPE_CHECKING:
    from spinetrack_synth.validation.engine import Report

FORMATS: Final = ("text", "json", "github", "sarif", "junit", "html")

Reporter = Callable[..., str]
"""Makes a report; a second argument limits how many findings of a rule are told, 0 tells all."""


def reporter(name: str) -> Reporter:
    """The reporter of one of ``FORMATS``."""
    from importlib import import_module

    render: Reporter = import_module(f"{__name__}.{name}_report").render
    return render


def write_report(report: Report, name: str, path: Path, limit: int | None = None) -> None:
    """Write a report of one of ``FORMATS``; ``limit`` as in ``Reporter``, where it is left open
    files tell all, and pages as many as can be looked at."""
    render = reporter(name)
    text = render(report) if name == "html" and limit is None else render(report, limit or 0)
    content = click.unstyle(text) if name == "text" else text
    write_atomic(path, content.encode("utf-8", "backslashreplace"))


def by_rule(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Findings by code: the worst severity first, then by code; in a group as they were found."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.code, []).append(finding)
    worst = {code: max(f.severity for f in group) for code, group in groups.items()}
    return {code: groups[code] for code in sorted(groups, key=lambda c: (-worst[c], c))}


def cut(findings: Sequence[Finding], limit: int) -> tuple[list[Finding], int]:
    """The first findings of a group and how many are left out; 0 leaves out none."""
    kept = list(findings[:limit]) if limit else list(findings)
    return kept, len(findings) - len(kept)


def plural(count: int, noun: str) -> str:
    """``1 error``, ``1,204 errors``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
