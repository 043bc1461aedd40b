"""What the pages have in common: the document around the parts, and how figures are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from importlib import resources

from spinetrack_synth.gap.bootstrap import Interval


def document(title: str, parts: Sequence[str]) -> str:
    """One page that needs nothing else; empty parts are left out."""
    css = resources.files("spinetrack_synth.validation.reporting").joinpath("page.css")
    own = resources.files(__package__).joinpath("gap.css")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n"
        f"{css.read_text(encoding='utf-8')}{own.read_text(encoding='utf-8')}</style>\n</head>\n"
        "<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def number(value: float, digits: int | None = None) -> str:
    """A figure with as many digits as tell something; small ones get a fourth."""
    if not math.isfinite(value):
        return "–"
    if digits is None:
        digits = 1 if abs(value) >= 10 else 4 if 0 < abs(value) < 0.01 else 3
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def signed(value: float) -> str:
    """A difference with its sign."""
    text = number(value)
    return "+" + text if value > 0 and float(text) != 0 else text


def limits(found: Interval) -> str:
    """An interval behind its value; nothing where there is none."""
    if not math.isfinite(found.low):
        return ""
    return f" <small>{number(found.low)} to {number(found.high)}</small>"


def worst_section(cards: Sequence[str]) -> str:
    """The cards of the worst people with their legend; "" where there are none."""
    if not cards:
        return ""
    legend = (
        '<div class="legend"><span>drawn through: label</span>'
        "<span>dashed green: prediction</span><span>ringed: largest error</span></div>"
    )
    return f'<h2>Worst people</h2>{legend}<section class="cases">{"".join(cards)}</section>'
