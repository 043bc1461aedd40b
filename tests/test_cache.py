"""The cache folder: where it lies, and one line where it cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spinetrack_synth.avatars import assets
from spinetrack_synth.cache import OVERRIDE, cache_folder
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering import variants
from spinetrack_synth.spinepose import zoo


@pytest.fixture(params=["", "below"])
def no_folder(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file where the cache folder should be, or above it."""
    file = tmp_path / "file"
    file.write_text("mine")
    monkeypatch.setenv(OVERRIDE, str(file / request.param))
    return file


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="where XDG's folders are used")
def test_a_user_without_a_home_names_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", none)
    for name in (OVERRIDE, "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=OVERRIDE):
        cache_folder()
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    assert cache_folder() == Path("caches/spinetrack-synth")
    monkeypatch.setenv(OVERRIDE, "other")
    assert cache_folder() == Path("other")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="where XDG's folders are used")
def test_the_folder_is_where_it_always_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (OVERRIDE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/anna")
    assert cache_folder() == Path("/home/anna/.cache/spinetrack-synth")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/caches")
    assert cache_folder() == Path("/var/caches/spinetrack-synth")


@pytest.mark.parametrize(
    "use",
    [
        assets.ensure,
        lambda: zoo.obtain(zoo.by_mode("small"), accept=lambda text: True),
    ],
)
def test_a_file_in_the_way_is_told_with_the_remedy(no_folder: Path, use) -> None:
    with pytest.raises(UserError, match=f"{no_folder}.*cannot be used.*{OVERRIDE}"):
        use()
    assert no_folder.read_text() == "mine"


def test_the_renderers_variant_is_found_without_a_cache(no_folder: Path) -> None:
    report = variants.VariantReport("scalar_rgb", (variants.Trial("scalar_rgb", True),), None)
    path = variants._cache_path(None)
    variants._write(path, report)
    assert variants._read(path) is None
    assert no_folder.read_text() == "mine"


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
