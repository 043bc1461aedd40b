"""Settings of the gate: ``[tool.spinetrack]`` in pyproject.toml, or spinetrack.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.values import shown
from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.findings import Severity

FILE: Final = "spinetrack.toml"
FAIL_ON: Final = ("error", "warning", "info", "never")
LISTS: Final = ("select", "extend-select", "ignore")
PATHS: Final = ("baseline", "images", "previous")
KEYS: Final = (*LISTS, *PATHS, "fail-on", "max-findings", "severity")


@dataclass(frozen=True)
class Settings:
    """What a settings file says; None where it says nothing. Paths are relative to the file."""

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    baseline: Path | None = None
    images: Path | None = None
    previous: Path | None = None
    fail_on: str | None = None
    max_findings: int | None = None
    severity: Mapping[str, Severity] = field(default_factory=dict)

    @property
    def failing(self) -> Severity | None:
        """From which severity on a report fails; None never does."""
        name = self.fail_on or "error"
        return None if name == "never" else Severity[name.upper()]

    def under(self, given: Settings) -> Settings:
        """These below others, as a file's are below the options of a command: what ``given`` says
        holds; what both add or ignore adds up."""
        return Settings(
            select=given.select or self.select,
            extend_select=(*self.extend_select, *given.extend_select),
            ignore=(*self.ignore, *given.ignore),
            baseline=given.baseline or self.baseline,
            images=given.images or self.images,
            previous=given.previous or self.previous,
            fail_on=given.fail_on or self.fail_on,
            max_findings=self.max_findings if given.max_findings is None else given.max_findings,
            severity={**self.severity, **given.severity},
        )


def find_settings(start: Path) -> Settings:
    """The settings of the nearest folder, upwards from ``start``, that has some.

    spinetrack.toml wins over pyproject.toml beside it. Raises UserError at a key or a value that
    means nothing.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        own = folder / FILE
        if own.is_file():
            return parse_settings(_load(own), own)
        project = folder / "pyproject.toml"
        if project.is_file():
            tool = _load(project).get("tool", {})
            if isinstance(tool, dict) and "spinetrack" in tool:
                return parse_settings(tool["spinetrack"], project)
    return Settings()


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path}: no TOML: {error}") from error


def parse_settings(table: Any, path: Path) -> Settings:
    """The settings in a table of a file."""
    if not isinstance(table, dict):
        raise UserError(f"{path}: tool.spinetrack: expected a table")
    for key in table:
        if key not in KEYS:
            close = get_close_matches(key, KEYS, 1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(KEYS)}"
            raise UserError(f"{path}: {shown(key)} is no setting; {hint}")
    return Settings(
        select=_texts(table, "select", path),
        extend_select=_texts(table, "extend-select", path),
        ignore=_texts(table, "ignore", path),
        baseline=_path(table, "baseline", path),
        images=_path(table, "images", path),
        previous=_path(table, "previous", path),
        fail_on=_fail_on(table, path),
        max_findings=_count(table, path),
        severity=_severities(table, path),
    )


def _texts(table: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    value = table.get(key, [])
    if not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
        raise UserError(f'{path}: {key}: {shown(value)}, expected a list such as ["SPT3"]')
    return tuple(value)


def _path(table: Mapping[str, Any], key: str, path: Path) -> Path | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise UserError(f"{path}: {key}: {shown(value)}, expected a path")
    return path.parent / value


def _fail_on(table: Mapping[str, Any], path: Path) -> str | None:
    value = table.get("fail-on")
    if value is not None and value not in FAIL_ON:
        raise UserError(f"{path}: fail-on: {shown(value)}, choose {', '.join(FAIL_ON)}")
    return value


def _count(table: Mapping[str, Any], path: Path) -> int | None:
    value = table.get("max-findings")
    if value is not None and (type(value) is not int or value < 0):
        raise UserError(f"{path}: max-findings: {shown(value)}, expected a number, 0 for all")
    return value


def _severities(table: Mapping[str, Any], path: Path) -> dict[str, Severity]:
    value = table.get("severity", {})
    names = {str(severity): severity for severity in Severity}
    if not isinstance(value, dict):
        raise UserError(f'{path}: severity: expected a table such as SPT307 = "error"')
    for code, name in value.items():
        if name not in names:
            raise UserError(f"{path}: severity.{code}: {shown(name)}, choose {', '.join(names)}")
    return {code.upper(): names[name] for code, name in value.items()}
