"""Running the rules: what is skipped, what is only a consequence, what is accepted."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from spinetrack_synth.coco.values import shown
from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.baseline import Baseline
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Finding, Severity, Work
from spinetrack_synth.validation.rules import NEEDS, Rule

if TYPE_CHECKING:
    import pandas as pd

RULE_FAILED: Final = "SPT009"


@dataclass(frozen=True)
class Skipped:
    """A rule that could not run on a file, and why."""

    rule: Rule
    file: Path
    reason: str


@dataclass(frozen=True)
class Report:
    """Everything a reporter needs: files, rules that ran, findings, what was left out and why."""

    datasets: tuple[Dataset, ...]
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...] = ()
    accepted: tuple[Finding, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def count(self, severity: Severity) -> int:
        """Number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def fails(self, fail_on: Severity | None) -> bool:
        """Is anything at or above ``fail_on``? None never fails."""
        return fail_on is not None and any(f.severity >= fail_on for f in self.findings)

    def to_frame(self) -> pd.DataFrame:
        """The findings as a table, a row each; columns as in `Finding`, severities as words."""
        import pandas as pd

        columns = [name.name for name in fields(Finding) if name.compare]
        rows = [[getattr(finding, name) for name in columns] for finding in self.findings]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(severity=[str(finding.severity) for finding in self.findings])


def validate(
    datasets: Sequence[Dataset],
    rules: Iterable[Rule],
    *,
    severities: Mapping[str, Severity] | None = None,
    baseline: Baseline | None = None,
    work: Work | None = None,
) -> Report:
    """Run the rules over datasets that are one release; ``severities`` replaces defaults by code.

    A rule that fails is itself a finding (SPT009): the others still run.
    """
    rules = tuple(rules)
    work = work or Work()
    severities = severities or {}
    found: list[tuple[Rule, Dataset, Fault]] = []
    skipped: list[Skipped] = []
    seconds: dict[str, float] = {}
    for rule in rules:
        start = time.perf_counter()
        for group in [tuple(datasets)] if rule.across else [(dataset,) for dataset in datasets]:
            reason = _lack(rule, group)
            if reason:
                skipped += [Skipped(rule, dataset.path, reason) for dataset in group]
                continue
            found += _run(rule, group, work)
        seconds[rule.code] = time.perf_counter() - start
    findings = [
        _finding(rule, dataset, fault, severities)
        for rule, dataset, fault in _without_consequences(found)
    ]
    accepted: list[Finding] = []
    if baseline is not None and datasets:
        findings, accepted, remarks = baseline.apply(
            findings, {dataset.path.name for dataset in datasets}, {rule.code for rule in rules}
        )
        codes = {rule.code: rule for rule in rules}
        findings += [
            replace(remark, severity=severities.get(remark.code, remark.severity))
            for remark in remarks
            if remark.code in codes
        ]
    return Report(
        datasets=tuple(datasets),
        rules=rules,
        findings=tuple(findings),
        skipped=tuple(skipped),
        accepted=tuple(accepted),
        seconds=seconds,
    )


def _lack(rule: Rule, group: Sequence[Dataset]) -> str | None:
    """What a rule needs and these files have not."""
    if rule.across and len(group) < 2 and "several files" in rule.needs:
        return f"needs {NEEDS['several files']}"
    for need in rule.needs:
        reasons = [dataset.lacks[need] for dataset in group if need in dataset.lacks]
        if len(reasons) == len(group):
            return reasons[0]
    return None


def _run(rule: Rule, group: tuple[Dataset, ...], work: Work) -> list[tuple[Rule, Dataset, Fault]]:
    try:
        # What is unusable is nan in the columns, and what is absurd overflows: both are meant.
        with np.errstate(all="ignore"):
            return _faults(rule, group, work)
    except (UserError, ModuleNotFoundError, KeyboardInterrupt):
        raise
    except Exception as error:
        from spinetrack_synth.validation.file import rule_failed

        message = f"{rule.code} {rule.name} stopped: {type(error).__name__}: {shown(str(error))}"
        return [(rule_failed, group[0], group[0].file_fault(message, place=rule.code))]


def _faults(
    rule: Rule, group: tuple[Dataset, ...], work: Work
) -> list[tuple[Rule, Dataset, Fault]]:
    extra = (work,) if rule.slow else ()
    if rule.across:
        pairs: Iterable[tuple[Dataset, Fault]] = rule.check(group, *extra)
        return [(rule, dataset, fault) for dataset, fault in pairs]
    return [(rule, group[0], fault) for fault in rule.check(group[0], *extra)]


def _without_consequences(
    found: Sequence[tuple[Rule, Dataset, Fault]],
) -> list[tuple[Rule, Dataset, Fault]]:
    """Leave out the faults that a fault at the same entity, or at its image, explains."""
    entities: dict[str, set[tuple[Path, str]]] = defaultdict(set)
    for rule, dataset, fault in found:
        entities[rule.code].add((dataset.path, _entity(fault.key)))
        entities[rule.code].update((dataset.path, key) for key in fault.covers)

    explaining = {
        rule.code: set().union(
            *(keys for code, keys in entities.items()
              if code != rule.code and code.startswith(rule.unless))
        )
        for rule in {rule.code: rule for rule, _, _ in found}.values()
        if rule.unless
    }  # fmt: skip

    def explained(rule: Rule, dataset: Dataset, fault: Fault) -> bool:
        keys = explaining.get(rule.code, ())
        return (dataset.path, _entity(fault.key)) in keys or (dataset.path, fault.parent) in keys

    return [each for each in found if not explained(*each)]


def _finding(
    rule: Rule, dataset: Dataset, fault: Fault, severities: Mapping[str, Severity]
) -> Finding:
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=severities.get(rule.code, fault.severity or rule.severity),
        file=dataset.path,
        place=fault.place,
        key=fault.key,
        message=fault.message,
        value=fault.value,
        sure=fault.sure,
        row=fault.row,
        fitted=fault.fitted,
    )


def _entity(key: str) -> str:
    """The annotation, image or category of a key, without a part of it."""
    return key.partition("/")[0]
