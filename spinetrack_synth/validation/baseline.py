"""Findings that are accepted for a time, each with a reason."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.coco.values import plain, shown
from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.findings import Finding, Severity

STALE: Final = "SPT010"
EXPIRED: Final = "SPT011"
DAYS: Final = 90
"""How long a suppression that ``write`` makes holds."""


@dataclass(frozen=True)
class Suppression:
    """One accepted finding: rule, file, entity; why, and until when (that day included)."""

    code: str
    file: str
    key: str
    reason: str
    expires: datetime.date


@dataclass(frozen=True)
class Baseline:
    """The suppressions of a file."""

    path: Path
    suppressions: tuple[Suppression, ...]
    today: datetime.date

    @staticmethod
    def read(path: Path, today: datetime.date | None = None) -> Baseline:
        """Read a baseline; raises UserError where an entry lacks its reason or its expiry."""
        try:
            data = json.loads(path.read_bytes())
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: not a JSON file: {plain(str(error))}") from error
        entries = data.get("suppressions") if isinstance(data, dict) else None
        if not isinstance(entries, list):
            raise UserError(f"{path}: no baseline: expected an object with a list `suppressions`")
        suppressions = tuple(
            _suppression(entry, f"{path}: suppressions[{number}]")
            for number, entry in enumerate(entries)
        )
        return Baseline(path, suppressions, today or datetime.date.today())

    def apply(
        self, findings: Sequence[Finding], files: Iterable[str], codes: Iterable[str]
    ) -> tuple[list[Finding], list[Finding], list[Finding]]:
        """Findings that remain, those accepted, and remarks on suppressions that are stale or
        expired. Only suppressions of files and rules that were looked at can be stale."""
        files, codes = set(files), set(codes)
        present = {finding.entity for finding in findings}
        holding = {}
        remarks = []
        for number, entry in enumerate(self.suppressions):
            entity = (entry.code, entry.file, entry.key)
            if entry.file not in files or entry.code not in codes:
                continue
            if entity not in present:
                message = f"{entry.code} at {plain(entry.key)} in {plain(entry.file)} is gone: "
                remarks.append(
                    self._remark(STALE, "baseline-stale", number, message + "delete the entry")
                )
            elif entry.expires < self.today:
                message = f"{entry.code} at {plain(entry.key)} was accepted until {entry.expires}"
                message += f" ({plain(entry.reason)}): mend it or accept it anew"
                remarks.append(self._remark(EXPIRED, "baseline-expired", number, message))
            else:
                holding[entity] = entry
        remaining = [finding for finding in findings if finding.entity not in holding]
        accepted = [finding for finding in findings if finding.entity in holding]
        return remaining, accepted, remarks

    def _remark(self, code: str, name: str, number: int, message: str) -> Finding:
        place = f"suppressions[{number}]"
        return Finding(code, name, Severity.WARNING, self.path, place, place, message)


def write(path: Path, findings: Iterable[Finding], reason: str, today: datetime.date) -> int:
    """Write a baseline that accepts these findings for ``DAYS`` days; return their number."""
    expires = (today + datetime.timedelta(days=DAYS)).isoformat()
    entities = sorted({finding.entity for finding in findings if finding.code[3:5] != "01"})
    entries = [
        {"code": code, "file": file, "key": key, "reason": reason, "expires": expires}
        for code, file, key in entities
    ]
    text = json.dumps({"suppressions": entries}, indent=2, ensure_ascii=False)
    write_atomic(path, text.encode() + b"\n")
    return len(entries)


def accept(path: Path, findings: Iterable[Finding]) -> int:
    """Write a baseline that accepts what was found today; return the number of findings."""
    today = datetime.date.today()
    reason = f"found when the baseline was written on {today.isoformat()}"
    return write(path, findings, reason, today)


def _suppression(entry: Any, place: str) -> Suppression:
    if not isinstance(entry, dict):
        raise UserError(f"{place}: expected an object with code, file, key, reason, expires")
    for name in ("code", "file", "key", "reason", "expires"):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise UserError(f"{place}.{name}: missing: a suppression says what, why and until when")
    try:
        expires = datetime.date.fromisoformat(entry["expires"])
    except ValueError as error:
        raise UserError(
            f"{place}.expires: {shown(entry['expires'])}, expected a date such as 2027-01-31"
        ) from error
    return Suppression(entry["code"], entry["file"], entry["key"], entry["reason"], expires)
