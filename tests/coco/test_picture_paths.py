"""Pictures that a COCO file names."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinetrack_synth.coco.picture_paths import PictureNames, locate, missing_remedy


@pytest.mark.parametrize(
    ("path", "fitting"),
    [
        ("/data/images/train/1.jpg", ["train/1.jpg"]),
        ("1.jpg", ["train/1.jpg", "val/1.jpg"]),
        ("/elsewhere/test/1.jpg", ["train/1.jpg", "val/1.jpg"]),
        ("2.jpg", ["C:\\shots\\2.jpg"]),
        ("no/3.jpg", []),
        ("a/u\u0308.jpg", ["./\u00fc.jpg"]),
        ("xtrain/1.jpg", ["train/1.jpg", "val/1.jpg"]),
    ],
)
def test_pictures_are_found_by_the_ends_of_their_paths(path: str, fitting: list[str]) -> None:
    names = ["train/1.jpg", "val/1.jpg", "C:\\shots\\2.jpg", "./\u00fc.jpg"]
    assert PictureNames(names).fitting(path) == fitting


def test_names_written_on_windows_are_found_and_none_outside(tmp_path: Path) -> None:
    (tmp_path / "in/images").mkdir(parents=True)
    picture = tmp_path / "in/images/1.jpg"
    for path in (picture, tmp_path / "out.jpg"):
        path.touch()
    folders = (tmp_path / "in",)
    assert locate("images\\1.jpg", folders) == locate("images/1.jpg", folders) == picture
    for name in ("..\\out.jpg", "../out.jpg", str(tmp_path / "out.jpg"), "images", "\\1.jpg"):
        assert locate(name, folders) is None


@pytest.mark.parametrize(
    "name", ["..\\..\\media\\1.png", "C:\\data\\1.png", "/data/1.png", "a/../../1.png"]
)
def test_names_that_lead_out_of_their_folder_are_told_so(name: str) -> None:
    assert missing_remedy(name, "with --images").startswith("; the name leads out of the folder")
    assert missing_remedy("a/1.png", "in images") == "; name the folder of the pictures in images"
    assert missing_remedy("a/1.png", None) == ""
