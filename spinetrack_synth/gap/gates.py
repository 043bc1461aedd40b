"""Conditions on the figures of a comparison that make a program fail: ``spine.error>0.05``.

A figure with an interval fails where the interval supports it: all of it lies beyond the limit.
Where the interval holds the limit the gate is undecided, and does not fail: the draw of pictures
decides then, and not the model. ``spine.error.value``, ``.low`` and ``.high`` are single numbers.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.bootstrap import Interval
from spinetrack_synth.gap.comparison import Comparison

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


Verdict = Literal["failed", "undecided", "passed"]
ENDS: Final = ("value", "low", "high")


@dataclass(frozen=True)
class Gate:
    """Fails where the figure of this name compares so with the limit."""

    text: str
    name: str
    compare: str
    limit: float


@dataclass(frozen=True)
class Judged:
    """What became of a gate, and the figure that was found; without an interval (nan) where a
    single number was asked for."""

    gate: Gate
    verdict: Verdict
    found: Interval


def parse_gate(text: str) -> Gate:
    """``name > number``; raises UserError for anything else."""
    match = re.fullmatch(r"\s*([\w.]+)\s*(>=|<=|>|<)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*", text)
    try:
        if match is None:
            raise ValueError
        return Gate(text.strip(), match[1], match[2], float(match[3]))
    except ValueError:
        raise UserError(
            f"--fail-on {text!r}: no condition such as spine.error>0.05 or real.spine.AP<0.8"
        ) from None


def figures(comparison: Comparison) -> dict[str, Interval]:
    """Every figure a gate may name. A measure alone is its gap, real less synthetic; with
    ``matched.``, ``synthetic.`` or ``real.`` before it that side's."""
    found: dict[str, Interval] = {}
    for name, gap in {**comparison.gaps, **comparison.precision}.items():
        found[name] = gap.gap
        found[f"synthetic.{name}"] = gap.synthetic
        found[f"real.{name}"] = gap.real
    found |= {f"matched.{name}": gap.gap for name, gap in comparison.matched.items()}
    if comparison.appearance is not None:
        found["appearance.auc"] = comparison.appearance.classifier.auc
    return found


def numbers(comparison: Comparison) -> dict[str, float]:
    """The figures that have no interval, and the single numbers of those that have one."""
    found: dict[str, float] = {}
    for name, interval in figures(comparison).items():
        found |= {f"{name}.{end}": getattr(interval, end) for end in ENDS}
    if comparison.pose is not None:
        found |= {"pose.share": comparison.pose.share, "pose.p": comparison.pose.p}
    if comparison.appearance is not None:
        found["appearance.p"] = comparison.appearance.kernel.p
    return found


def judge(gates: tuple[Gate, ...], comparison: Comparison) -> tuple[Judged, ...]:
    """What becomes of the gates. Raises UserError where a figure does not exist or could not be
    judged: a gate that checks nothing must not pass."""
    intervals, single = figures(comparison), numbers(comparison)
    return tuple(_judge(gate, intervals, single, comparison) for gate in gates)


def _judge(
    gate: Gate,
    intervals: dict[str, Interval],
    single: dict[str, float],
    comparison: Comparison,
) -> Judged:
    compare = _COMPARE[gate.compare]
    if gate.name in single:
        value = single[gate.name]
        if not math.isfinite(value):
            raise UserError(f"--fail-on {gate.text}: {gate.name} cannot be judged: too few people")
        return Judged(
            gate,
            "failed" if compare(value, gate.limit) else "passed",
            Interval(value, math.nan, math.nan),
        )
    found = intervals.get(gate.name)
    if found is None:
        if gate.name.startswith("matched.") and not comparison.matched:
            obstacle = comparison.matching.obstacle
            raise UserError(f"--fail-on {gate.text}: the sets are not comparable: {obstacle}")
        near = get_close_matches(gate.name, [*intervals, *single], 3)
        hint = f"; there is {', '.join(near)}" if near else ""
        raise UserError(
            f"--fail-on {gate.text}: {gate.name} is not known or cannot be judged on these "
            f"datasets{hint}"
        )
    if not math.isfinite(found.value):
        raise UserError(f"--fail-on {gate.text}: {gate.name} cannot be judged: too few people")
    if not math.isfinite(found.low):
        raise UserError(
            f"--fail-on {gate.text}: {gate.name} cannot be judged: too few pictures for an "
            f"interval; {gate.name}.value is the bare figure"
        )
    beyond = [compare(end, gate.limit) for end in (found.low, found.high)]
    return Judged(
        gate, "failed" if all(beyond) else "undecided" if any(beyond) else "passed", found
    )
