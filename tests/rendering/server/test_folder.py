"""Nothing is written outside the folder, whatever lies in it and whatever the name is."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.server.folder import Folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the server's, with a file that must stay as it is."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.png").write_bytes(b"precious")
    return outside


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "pictures")


def save(folder: Folder, name: str, content: bytes = b"picture") -> Path:
    path = folder.below(name)
    folder.write(path, content)
    return path


def refusal(folder: Folder, name: str) -> str:
    with pytest.raises(UserError) as caught:
        save(folder, name)
    message = str(caught.value)
    assert "\n" not in message
    return message


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_names_below_the_folder_are_written_and_their_folders_made(folder: Folder) -> None:
    for name in ("a.png", "night/b.npy", "./night/./deep/c.bmp", f"{folder.path}/day/d.png"):
        path = save(folder, name, name.encode())
        assert path.read_bytes() == name.encode()
    assert files(folder.path) == {
        "a.png", "night", "night/b.npy", "night/deep", "night/deep/c.bmp", "day", "day/d.png",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "../x.png",
        "../../x.png",
        "a/../../x.png",
        "a/../x.png",
        "../pictures/x.png",
        "../pictures2/x.png",
        "{parent}/outside/precious.png",
        "{parent}/pictures2/x.png",
        "{parent}/pictures/../outside/precious.png",
        "/{parent}/outside/precious.png",
        "/x.png",
        "/dev/x.png",
        "a\0.png",
        "a" * 999 + ".png",
        "d/" * 500 + "x.png",
    ],
)
def test_names_that_lead_elsewhere_are_refused(folder: Folder, outside: Path, name: str) -> None:
    before = files(folder.path.parent)
    message = refusal(folder, name.format(parent=folder.path.parent))
    assert "is not below" in message or "cannot be the name" in message
    assert len(message) < 300 + len(str(folder.path))
    assert files(folder.path.parent) == before
    assert (outside / "precious.png").read_bytes() == b"precious"


def test_no_link_is_followed_wherever_it_leads(folder: Folder, outside: Path) -> None:
    inside = folder.path / "inside"
    inside.mkdir()
    (inside / "mine.png").write_bytes(b"mine")
    links = {
        "out": outside, "in": inside, "gone": folder.path / "nowhere",
        "file.png": outside / "precious.png", "new.png": outside / "new.png",
        "mine.png": inside / "mine.png", "gone.png": folder.path / "nowhere.png",
    }  # fmt: skip
    for name, target in links.items():
        (folder.path / name).symlink_to(target)
    before = files(folder.path.parent)
    for name in links:
        message = refusal(folder, name if name.endswith(".png") else f"{name}/precious.png")
        assert "cannot be written" in message
    refusal(folder, "out/new/x.png")
    assert files(folder.path.parent) == before
    assert (outside / "precious.png").read_bytes() == b"precious"
    assert (inside / "mine.png").read_bytes() == b"mine"


def test_only_plain_files_are_replaced(folder: Folder, tmp_path: Path) -> None:
    save(folder, "a.png", b"old")
    save(folder, "a.png", b"new")
    assert (folder.path / "a.png").read_bytes() == b"new"
    (folder.path / "folder.png").mkdir()
    os.mkfifo(folder.path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listener:
        short = os.path.relpath(folder.path / "socket.png")  # a socket's name may not be long
        listener.bind(min(short, str(folder.path / "socket.png"), key=len))
        for name in ("folder.png", "pipe.png", "socket.png"):
            assert "no plain file" in refusal(folder, name)
    assert (folder.path / "pipe.png").is_fifo()
    assert (folder.path / "socket.png").is_socket()
    assert "cannot be written" in refusal(folder, "a.png/b.png")


def test_another_name_of_a_replaced_file_keeps_its_content(folder: Folder, outside: Path) -> None:
    os.link(outside / "precious.png", folder.path / "a.png")
    save(folder, "a.png")
    assert (folder.path / "a.png").read_bytes() == b"picture"
    assert (outside / "precious.png").read_bytes() == b"precious"


@pytest.mark.parametrize("when", ["mkdir", "open", "stat", "replace"])
def test_a_folder_that_is_swapped_for_a_link_meanwhile_lets_nothing_out(
    folder: Folder, outside: Path, monkeypatch, when: str
) -> None:
    """Another process is quicker, right after the server has looked at `night`."""
    night, aside = folder.path / "night", folder.path / "aside"
    night.mkdir()
    looked, swapped = getattr(os, when), []

    def swap_after(path, *arguments, **options):
        try:
            return looked(path, *arguments, **options)
        finally:
            if isinstance(path, str) and not swapped:  # the folder itself comes as a Path
                swapped.append(path)
                night.rename(aside)
                night.symlink_to(outside)

    monkeypatch.setattr(os, when, swap_after)
    with suppress(UserError):
        save(folder, "night/precious.png")
    monkeypatch.undo()
    assert swapped in (["night"], ["precious.png"]) or (when == "replace" and swapped)
    assert files(outside) == {"precious.png"}
    assert (outside / "precious.png").read_bytes() == b"precious"


def test_the_folder_itself_swapped_for_a_link_is_refused(folder: Folder, outside: Path) -> None:
    folder.path.rmdir()
    folder.path.symlink_to(outside)
    assert "cannot be written" in refusal(folder, "x.png")
    assert files(outside) == {"precious.png"}


def test_a_folder_that_was_tidied_away_is_made_again(folder: Folder) -> None:
    save(folder, "a/b.png").unlink()
    (folder.path / "a").rmdir()
    folder.path.rmdir()
    assert save(folder, "a/b.png").read_bytes() == b"picture"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(folder: Folder, monkeypatch) -> None:
    save(folder, "a.png", b"old")

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert refusal(folder, "a.png").endswith("a.png: cannot be written: No space left on device")
    assert files(folder.path) == {"a.png"}
    assert (folder.path / "a.png").read_bytes() == b"old"


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(UserError, match=f"^--out {path}: "):
            Folder(path)
