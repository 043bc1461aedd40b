"""Conditions on the figures of a comparison that make a program fail: ``spine.error>0.05``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.comparison import Comparison

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Gate:
    """Fails where the figure of this name compares so with the limit."""

    text: str
    name: str
    compare: str
    limit: float


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


def figures(comparison: Comparison) -> dict[str, float]:
    """Every figure a gate may name. A measure alone is its gap, real less synthetic; with
    ``matched.``, ``synthetic.`` or ``real.`` before it that side's."""
    found = {}
    for name, gap in {**comparison.gaps, **comparison.precision}.items():
        found[name] = gap.gap.value
        found[f"synthetic.{name}"] = gap.synthetic.value
        found[f"real.{name}"] = gap.real.value
    found |= {f"matched.{name}": gap.gap.value for name, gap in comparison.matched.items()}
    if comparison.pose is not None:
        found |= {"pose.share": comparison.pose.share, "pose.p": comparison.pose.p}
    if comparison.appearance is not None:
        there = comparison.appearance
        found |= {"appearance.auc": there.classifier.auc.value, "appearance.p": there.kernel.p}
    return found


def failed(gates: tuple[Gate, ...], comparison: Comparison) -> list[tuple[Gate, float]]:
    """The gates that fail, with what was found. Raises UserError where a figure does not exist or
    could not be judged: a gate that checks nothing must not pass."""
    known = figures(comparison)
    found = []
    for gate in gates:
        value = known.get(gate.name)
        if value is None:
            near = get_close_matches(gate.name, known, 3)
            hint = f"; there is {', '.join(near)}" if near else ""
            raise UserError(
                f"--fail-on {gate.text}: {gate.name} is not known or cannot be judged on these "
                f"datasets{hint}"
            )
        if not math.isfinite(value):
            raise UserError(f"--fail-on {gate.text}: {gate.name} cannot be judged: too few people")
        if _COMPARE[gate.compare](value, gate.limit):
            found.append((gate, value))
    return found
