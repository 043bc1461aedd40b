"""The template of all pages: escaped, whole, small on a telephone."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from spinetrack_synth.drawing.pages import number, prose, render_page, signed
from spinetrack_synth.drawing.svg import data_url, drawing, element


def rendered(**values: object) -> str:
    given = {"name": "a.mot", "title": "t", "plots": [], "verdict": lambda check: "good"}
    inspection = {"subject": "s", "frames": 1, "notes": (), "checks": []}
    return render_page("motion/report.html", **(given | {"inspection": inspection} | values))


def test_what_is_put_in_is_escaped() -> None:
    page = rendered(title="<script>alert(1)</script>", name='"><img onerror=x>')
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>" in page
    assert "<script" not in page and "<img" not in page


@pytest.mark.parametrize("character", ["\0", "\x1b", "\r", "\x7f", "\x85", "\u202e", "\udc80"])
def test_control_characters_of_names_are_made_printable(character: str) -> None:
    name = f"a{character}b.mot"
    shown = drawing((0, 0, 1, 1), [element("text", name)], name)
    inspection = {"subject": prose(name), "frames": 1, "notes": (shown,), "checks": []}
    page = rendered(name=name, title=name, inspection=inspection)
    assert character not in page
    written = "a" + ascii(character)[1:-1] + "b.mot"
    assert page.count(written) >= 4
    assert page.encode()


def test_letters_and_spaces_of_all_tongues_stay() -> None:
    assert "Übung  脊柱" in rendered(title="Übung\N{NO-BREAK SPACE} 脊柱").replace("\xa0", " ")


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = rendered()
    assert page.startswith("<!doctype html>") and page.endswith("</html>\n")
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert not re.search(r"<(script|link|iframe)|url\(|@import", page)
    assert "@media (max-width: 640px)" in page
    assert "<footer>spinetrack-synth " in page


def test_a_value_that_is_missing_is_no_empty_place() -> None:
    with pytest.raises(UndefinedError, match="'title' is undefined"):
        render_page("motion/report.html", name="a")


def test_the_method_of_a_dictionary_is_not_written_for_its_value() -> None:
    with pytest.raises(TypeError, match="a template writes <built-in method clear"):
        rendered(name={}.clear)


def test_the_style_holds_nothing_that_the_template_would_read() -> None:
    style = resources.files("spinetrack_synth.drawing").joinpath("page.css").read_text("utf-8")
    assert not re.search(r"\{[{%#]", style)
    assert style.count("{") == style.count("}")


def test_elements_escape_and_shorten() -> None:
    made = element("text", "<b>&", x=1 / 3, font_size=12, class_='a"b', fill=None)
    assert made == '<text x="0.33" font-size="12" class="a&#34;b">&lt;b&gt;&amp;</text>'
    assert element("g", made, element("circle", r=2.0)) == f'<g>{made}<circle r="2"/></g>'
    assert isinstance(made, Markup)
    assert data_url(b"abc", "png") == "data:image/png;base64,YWJj"


def test_code_between_backticks() -> None:
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"


@pytest.mark.parametrize(
    ("value", "text", "with_sign"),
    [(0.1234, "0.123", "+0.123"), (0.00123, "0.0012", "+0.0012"), (-12.34, "-12.3", "-12.3"),
     (-0.0, "0.000", "0.000"), (float("nan"), "–", "–"), (-0.00001, "0.0000", "0.0000")],
)  # fmt: skip
def test_figures_have_as_many_digits_as_tell_something(
    value: float, text: str, with_sign: str
) -> None:
    assert number(value) == text
    assert signed(value) == with_sign
