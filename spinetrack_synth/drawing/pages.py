"""Pages that need nothing else: no scripts, no fonts, no network.

Every template extends ``drawing/page.html`` and lies beside the module that fills it. What is put
into one is escaped, but for markup that this room's SVG made. Control characters of foreign names
are shown as Python writes them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import cache
from types import BuiltinMethodType, MethodType
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from spinetrack_synth.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

PACKAGE: Final = "spinetrack_synth"


def render_page(template: str, **values: object) -> str:
    """The page of a template, named by its path in the package: ``motion/report.html``. Raises
    jinja2.UndefinedError where the template asks for a value that is not given."""
    page = _environment().get_template(template).render(version=__version__, **values)
    return re.sub(r"[^\x20-\x7e\n]", _printable, page)


def _printable(found: re.Match[str]) -> str:
    """Spaces of any width stay; what no page can show, or what turns text round, does not."""
    character = found[0]
    kept = character.isprintable() or unicodedata.category(character) == "Zs"
    return character if kept else ascii(character)[1:-1]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(PACKAGE, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_no_method,
    )
    environment.filters |= {
        "commas": commas, "number": number, "signed": signed, "prose": prose
    }  # fmt: skip
    environment.tests["finite"] = math.isfinite
    return environment


def _no_method(value: object) -> object:
    """Refuses ``{{ row.clear }}``, which is a dictionary's method before it is its value."""
    if isinstance(value, BuiltinMethodType | MethodType):
        raise TypeError(f"a template writes {value}")
    return value


def commas(count: int) -> str:
    """``1,204``."""
    return f"{count:,}"


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


def prose(text: str) -> Markup:
    """A text with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
