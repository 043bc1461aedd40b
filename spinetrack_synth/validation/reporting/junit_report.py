"""JUnit XML, which every build server reads: a suite a file, a case a rule."""

from __future__ import annotations

from xml.etree import ElementTree

from spinetrack_synth.validation.engine import Report
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.reporting import cut


def render(report: Report, limit: int = 100) -> str:
    """Errors and warnings are failures; what is only information stands in ``system-out``."""
    found: dict[tuple[object, str], list[Finding]] = {}
    for finding in report.findings:
        found.setdefault((finding.file, finding.code), []).append(finding)
    reasons = {(skip.file, skip.rule.code): skip.reason for skip in report.skipped}
    files = [dataset.path for dataset in report.datasets]
    files += sorted({f.file for f in report.findings} - set(files))
    root = ElementTree.Element("testsuites", name="spinetrack-synth validate")
    totals = [0, 0]
    for path in files:
        suite = ElementTree.SubElement(root, "testsuite", name=str(path))
        failures = skipped = 0
        for rule in report.rules:
            case = ElementTree.SubElement(
                suite, "testcase", classname=rule.family, name=f"{rule.code} {rule.name}"
            )
            case.set("time", f"{report.seconds.get(rule.code, 0.0):.3f}")
            group = found.get((path, rule.code), [])
            if group:
                kept, left = cut(group, limit)
                lines = [f"{finding.place}: {finding.message}" for finding in kept]
                lines += [f"... {left:,} more"] if left else []
                worst = max(finding.severity for finding in group)
                if worst > Severity.INFO:
                    failures += 1
                    summary = f"{len(group)} x {rule.summary}"
                    failure = ElementTree.SubElement(
                        case, "failure", message=summary, type=str(worst)
                    )
                    failure.text = "\n".join(lines)
                else:
                    ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
            elif (path, rule.code) in reasons:
                skipped += 1
                ElementTree.SubElement(case, "skipped", message=reasons[path, rule.code])
        counts = {"tests": len(report.rules), "failures": failures, "errors": 0, "skipped": skipped}
        for name, count in counts.items():
            suite.set(name, str(count))
        totals = [totals[0] + len(report.rules), totals[1] + failures]
    root.set("tests", str(totals[0]))
    root.set("failures", str(totals[1]))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
