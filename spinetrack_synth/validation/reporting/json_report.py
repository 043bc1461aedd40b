"""For programs: everything, as one JSON object."""

from __future__ import annotations

import json

from spinetrack_synth.validation.engine import Report
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.reporting import by_rule, cut
from spinetrack_synth.version import __version__


def render(report: Report, limit: int = 0) -> str:
    """``files``, ``findings``, ``omitted`` (code -> how many are left out), ``skipped``, ..."""
    findings, omitted = [], {}
    for code, group in by_rule(report.findings).items():
        kept, left = cut(group, limit)
        findings += [record(finding) for finding in kept]
        if left:
            omitted[code] = left
    data = {
        "version": __version__,
        "files": [
            {
                "path": str(dataset.path),
                "images": len(dataset.images),
                "annotations": len(dataset.annotations),
                "skeleton": dataset.skeleton,
            }
            for dataset in report.datasets
        ],
        "summary": {str(severity): report.count(severity) for severity in reversed(Severity)},
        "findings": findings,
        "omitted": omitted,
        "accepted": [record(finding) for finding in report.accepted],
        "skipped": [
            {"code": skip.rule.code, "file": str(skip.file), "reason": skip.reason}
            for skip in report.skipped
        ],
    }
    return json.dumps(data, indent=1, ensure_ascii=True) + "\n"


def record(finding: Finding) -> dict[str, object]:
    """A finding as JSON; ``sure`` only where the rule says so."""
    sure = {} if finding.sure is None else {"sure": finding.sure}
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "file": str(finding.file),
        "place": finding.place,
        "key": finding.key,
        "message": finding.message,
        "value": finding.value,
        **sure,
    }
