"""The token of an open host."""

from __future__ import annotations

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.server.admission import (
    FOR_EVERYBODY,
    MOST_WRONG,
    Admission,
    check_token,
)

TOKEN = "0123456789abcdef"


def test_where_there_is_no_token_everything_may_be_done() -> None:
    admission = Admission(None)
    assert admission.granted
    assert admission.refusal("vset /camera/0/fov 60") is None
    assert admission.refusal("vset /session/token whatever") is None


def test_nothing_may_be_done_before_the_token() -> None:
    admission = Admission(TOKEN)
    for command in ("vget /objects", "vset /session/token", f"vset  /session/token {TOKEN}", ""):
        refused = admission.refusal(command)
        assert refused is not None and refused.startswith(b"error ")
    assert not admission.granted
    assert all(admission.refusal(command) is None for command in FOR_EVERYBODY)
    assert admission.refusal(f"vset /session/token {TOKEN}") is None
    assert admission.granted
    assert admission.refusal("vget /objects") is None


@pytest.mark.parametrize(
    "wrong", [TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "größe" * 4, "0", "." * 16]
)
def test_whoever_is_wrong_too_often_is_denied(wrong: str) -> None:
    admission = Admission(TOKEN)
    for k in range(MOST_WRONG):
        assert not admission.denied, k
        assert admission.refusal(f"vset /session/token {wrong}") == b"error that is not the token"
    assert admission.denied
    assert not admission.granted


@pytest.mark.parametrize("token", ["", "short", "0123456789abcde", "with a space in", "größe" * 5])
def test_tokens_that_are_none_are_refused(token: str) -> None:
    with pytest.raises(UserError, match="openssl rand -hex 16"):
        check_token(token)


def test_a_long_token_is_one() -> None:
    check_token(TOKEN)
