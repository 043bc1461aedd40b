"""SARIF 2.1.0, which code hosts show beside a change."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import quote

from spinetrack_synth.validation.engine import Report
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.reporting import by_rule, cut
from spinetrack_synth.validation.reporting.lines import Lines
from spinetrack_synth.version import __version__

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report, limit: int = 0) -> str:
    """A log with one run. Fingerprints hold file name, code and key: they survive moved lines."""
    rules = list(report.rules)
    index = {rule.code: number for number, rule in enumerate(rules)}
    lines = {finding.file: Lines(finding.file) for finding in report.findings}
    results, notes = [], []
    for code, group in by_rule(report.findings).items():
        kept, left = cut(group, limit)
        results += [_result(finding, index[code], lines[finding.file]) for finding in kept]
        if left:
            notes.append({"level": "note", "message": {"text": f"{code}: {left:,} more findings"}})
    for finding in report.accepted:
        line = Lines(finding.file)
        result = _result(finding, index[finding.code], lines.setdefault(finding.file, line))
        results.append(result | {"suppressions": [{"kind": "external"}]})
    for rule, reason in sorted({(s.rule.code, s.reason) for s in report.skipped}):
        notes.append({"level": "note", "message": {"text": f"{rule} skipped: {reason}"}})
    run = {
        "tool": {
            "driver": {
                "name": "spinetrack-synth",
                "version": __version__,
                "rules": [
                    {
                        "id": rule.code,
                        "name": _camel(rule.name),
                        "shortDescription": {"text": rule.summary},
                        "fullDescription": {"text": rule.reason},
                        "help": {"text": f"{rule.reason}\n\nExample: {rule.example}"},
                        "defaultConfiguration": {"level": LEVELS[rule.severity]},
                        "properties": {"tags": [rule.family]},
                    }
                    for rule in rules
                ],
            }
        },
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(finding: Finding, rule_index: int, lines: Lines) -> dict[str, Any]:
    fingerprint = hashlib.sha256("\0".join(finding.entity).encode()).hexdigest()
    name = finding.place.partition(" (")[0]
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.place}: {finding.message}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(finding.file)},
                    "region": {"startLine": lines.of(finding.place)},
                },
                "logicalLocations": [{"fullyQualifiedName": name, "kind": "element"}],
            }
        ],
        "partialFingerprints": {"codeFileKey/v1": fingerprint},
        **({} if finding.sure is None else {"properties": {"sure": finding.sure}}),
    }


def uri(path: Path) -> str:
    """The path below the current folder as SARIF wants it, or the whole one."""
    absolute = path.resolve()
    try:
        return quote(PurePath(absolute.relative_to(Path.cwd())).as_posix())
    except ValueError:
        return absolute.as_uri()


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"\W+", name))
