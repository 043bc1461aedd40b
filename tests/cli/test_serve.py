"""What `serve` refuses before anything is drawn: one line, code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Run

from spinetrack_synth.rendering.unreal.messages import TOKEN_VARIABLE

TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


def refusal(run: Run, *arguments: str) -> str:
    code, out, err = run("serve", "--port", "0", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ") and err.count("\n") == 1
    return err


def test_an_open_host_without_a_token(run: Run) -> None:
    told = refusal(run, "--host", "0.0.0.0")
    assert f"set a token with --token or {TOKEN_VARIABLE}, or leave --host out" in told


def test_a_token_that_is_too_short(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "openssl rand" in refusal(run, "--host", "0.0.0.0", "--token", "short")
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    assert "openssl rand" in refusal(run)
    monkeypatch.setenv(TOKEN_VARIABLE, "")
    assert "set a token" in refusal(run, "--host", "0.0.0.0")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "65536"),
        ("--port", "-1"),
        ("--port", "x"),
        ("--seed", "-1"),
        ("--size", "640"),
        ("--quality", "best"),
        ("--nonsense",),
        ("--host", "nowhere.invalid"),
        ("--host", "192.0.2.1", "--token", TOKEN),
        ("argument",),
    ],
)
def test_options_that_cannot_be(run: Run, arguments: tuple[str, ...]) -> None:
    refusal(run, *arguments)


def test_a_folder_that_cannot_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = f"{tmp_path}/file/x"
    assert f"--out {below}: Not a directory" in refusal(run, "--out", below)
