"""The user's cache folder: where it is, and one line where it cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spinetrack_synth.cache import cache_folder, cache_in_use
from spinetrack_synth.errors import UserError


def test_the_variable_moves_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_what_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(file))
    told = r"file: the cache folder cannot be used.*SPINETRACK_SYNTH_CACHE"
    with pytest.raises(UserError, match=told), cache_in_use():
        (cache_folder() / "inside").mkdir(parents=True)


def test_without_a_home_the_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPINETRACK_SYNTH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: homeless()))
    with pytest.raises(UserError, match=r"no home folder.*SPINETRACK_SYNTH_CACHE"):
        cache_folder()


def homeless() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize(
    "command",
    [
        ("assets", "fetch"),
        ("models", "fetch", "small", "--accept-licence"),
        ("avatars", "export", "--out", "OUT"),
        ("render", "--scenes", "yoga", "--count", "1", "--out", "OUT"),
    ],
)
@pytest.mark.slow
def test_commands_say_in_one_line_that_the_cache_cannot_be_used(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    done = subprocess.run(
        [sys.executable, "-m", "spinetrack_synth", *command],
        cwd=tmp_path,
        env={**os.environ, "SPINETRACK_SYNTH_CACHE": str(file)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ") and "SPINETRACK_SYNTH_CACHE" in last
    assert "Traceback" not in done.stderr and not (tmp_path / "OUT").exists()
