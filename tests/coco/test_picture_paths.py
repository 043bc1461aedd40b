"""Pictures that a COCO file names."""

from __future__ import annotations

import pytest

from spinetrack_synth.coco.picture_paths import PictureNames


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
