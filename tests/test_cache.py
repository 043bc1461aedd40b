"""The user's cache folder: where it is, and one line where it cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spinetrack_synth.cache import cache_folder, writable_folder
from spinetrack_synth.errors import UserError


def test_the_variable_moves_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    assert writable_folder(tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_nothing_can_be_kept_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (file, file / "inside"):
        with pytest.raises(UserError, match=r"nothing can be kept there.*SPINETRACK_SYNTH_CACHE"):
            writable_folder(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_refuses(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(UserError, match=r"Permission denied; SPINETRACK_SYNTH_CACHE"):
        writable_folder(tmp_path)


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
    assert last.startswith("Error: ") and "SPINETRACK_SYNTH_CACHE names another folder" in last
    assert "Traceback" not in done.stderr and not (tmp_path / "OUT").exists()
