"""Files are known by what they hold, and read once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.pipelines import contents
from spinetrack_synth.pipelines.contents import Contents


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_folder_is_its_files_by_name(tmp_path: Path) -> None:
    (tmp_path / "out/people/images").mkdir(parents=True)
    (tmp_path / "out/people/labels.json").write_text("l")
    (tmp_path / "out/people/images/0.jpg").write_text("p")
    (tmp_path / "out/people/.lock").write_text("hidden")
    (tmp_path / "out/people/images/around").symlink_to(tmp_path / "out/people")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_text("a")
    found = Contents(tmp_path / "out", {"mine/photos": tmp_path / "photos"})
    assert found.of("people") == {
        "people/labels.json": sha256("l"),
        "people/images/0.jpg": sha256("p"),
    }
    assert found.of("people/images/0.jpg") == {"people/images/0.jpg": sha256("p")}
    assert found.of("mine/photos") == {"mine/photos/a.jpg": sha256("a")}
    assert found.of("mine/photos/a.jpg") == {"mine/photos/a.jpg": sha256("a")}
    assert found.of(str(tmp_path / "photos/a.jpg")).popitem()[1] == sha256("a")
    assert found.of("nowhere") == {}


def test_only_what_was_touched_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def checksum(path: Path) -> str:
        read.append(path.name)
        return sha256(path.read_text())

    monkeypatch.setattr(contents, "file_sha256", checksum)
    (tmp_path / "d").mkdir()
    for name in "ab":
        (tmp_path / "d" / name).write_text(name)
    first = Contents.open(tmp_path, {})
    held = first.of("d")
    first.save()
    again = Contents.open(tmp_path, {})
    assert again.of("d") == held and read == ["a", "b"]
    os.utime(tmp_path / "d/b")
    assert again.of("d") == held and read == ["a", "b", "b"]
    # As long, and as old by the time that programs set: a copy that keeps times, a damaged disk.
    status = (tmp_path / "d/a").stat()
    (tmp_path / "d/a").write_text("z")
    os.utime(tmp_path / "d/a", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert again.of("d")["d/a"] == sha256("z")


def test_what_was_known_may_be_lost(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    for damaged in ("", "[1", "[]", '{"a": 3}', '{"a": [1, 2]}'):
        (tmp_path / ".pipeline").mkdir(exist_ok=True)
        (tmp_path / ".pipeline/checksums.json").write_text(damaged)
        assert Contents.open(tmp_path, {}).of("a") == {"a": sha256("a")}


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(contents, "file_sha256", refuse)
    (tmp_path / "a").write_text("a")
    with pytest.raises(UserError, match="a: cannot be read: Permission denied"):
        Contents(tmp_path, {}).of("a")
