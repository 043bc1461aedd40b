"""From a command's text to its handler."""

from __future__ import annotations

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.server.dispatch import Dispatcher
from spinetrack_synth.rendering.server.level import LevelError


@pytest.fixture
def seen() -> list[tuple]:
    return []


@pytest.fixture
def dispatcher(seen) -> Dispatcher:
    dispatcher = Dispatcher()

    def note(*values: object) -> None:
        seen.append(values)

    dispatcher.bind("vset /camera/[uint]/fov [float]", "Set it", note)
    dispatcher.bind("vset /object/[str]/color [uint] [uint] [uint]", "Set it", note)
    dispatcher.bind("vget /a.b", "A dot is a dot", lambda: "dot")
    dispatcher.bind("vget /picture", "Bytes", lambda: b"\x00\x01")
    return dispatcher


def test_placeholders_become_values(dispatcher, seen) -> None:
    assert dispatcher.answer("vset /camera/12/fov -3.50") == b"ok"
    assert dispatcher.answer("vset /camera/0/fov .5  ") == b"ok"
    assert dispatcher.answer("vset /object/s7-016/color 1 2 3") == b"ok"
    assert seen == [(12, -3.5), (0, 0.5), ("s7-016", 1, 2, 3)]


def test_a_number_that_is_none_is_told(dispatcher, seen) -> None:
    answer = dispatcher.answer("vset /camera/0/fov " + "9" * 400)
    assert answer == b"error 999999999999... is too large"
    assert not seen


@pytest.mark.parametrize(
    "text",
    [
        "vset /camera/0/fov 1e3",
        "vset /camera/0/fov 3.",
        "vset /camera/0/fov nan",
        "vset /camera/-1/fov 3",
        "vset /camera/0/fov",
        "vset /camera/0/fov 1 2",
        "xvset /camera/0/fov 1",
        "vset /object/a b/color 1 2 3",
        "vget /a,b",
        "",
    ],
)
def test_what_fits_no_template_is_unknown(dispatcher, seen, text: str) -> None:
    expected = f"error No handler found for URI '{text}' (Can not find a handler for URI '{text}')"
    assert dispatcher.answer(text) == expected.encode()
    assert not seen


def test_text_and_bytes_come_as_they_are(dispatcher) -> None:
    assert dispatcher.answer("vget /a.b") == b"dot"
    assert dispatcher.answer("vget /picture") == b"\x00\x01"


@pytest.mark.parametrize("kind", [LevelError, UserError, ValueError])
def test_what_cannot_be_done_is_one_line(dispatcher, kind, capsys) -> None:
    def fail() -> None:
        raise kind("no\nsuch thing")

    dispatcher.bind("vset /fail", "", fail)
    assert dispatcher.answer("vset /fail") == b"error no such thing"
    assert capsys.readouterr().err == ""


def test_a_fault_of_the_server_is_told_and_survived(dispatcher, capsys) -> None:
    dispatcher.bind("vset /fault", "", lambda: 1 // 0)
    assert dispatcher.answer("vset /fault").startswith(b"error ZeroDivisionError")
    assert "Traceback" in capsys.readouterr().err
    assert dispatcher.answer("vget /a.b") == b"dot"


def test_templates_are_listed_and_explained(dispatcher) -> None:
    assert dispatcher.templates == (
        "vget /a.b",
        "vget /picture",
        "vset /camera/[uint]/fov [float]",
        "vset /object/[str]/color [uint] [uint] [uint]",
    )
    assert "vget /a.b\nA dot is a dot\n" in dispatcher.help
