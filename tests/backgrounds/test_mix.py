"""Shares of pictures, and which background a picture has."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from spinetrack_synth.backgrounds import read_backgrounds
from spinetrack_synth.errors import UserError


@pytest.mark.parametrize(
    ("photos", "maps", "shares"),
    [
        ("A", None, {"backgrounds": 1.0}),
        ("A:0.3", None, {"backgrounds": 0.3}),
        ("A", "B", {"backgrounds": 0.5, "hdri": 0.5}),
        ("A:0.3", "B", {"backgrounds": 0.3, "hdri": 0.7}),
        ("A:0.3", "B:0.1", {"backgrounds": 0.3, "hdri": 0.1}),
    ],
)
def test_shares_of_the_pictures(photos: str, maps: str | None, shares: dict[str, float]) -> None:
    read = read_backgrounds(photos, maps)
    assert read is not None
    assert dict(read.shares) == pytest.approx(shares)
    assert read.folders["backgrounds"] == Path("A")


@pytest.mark.parametrize("share", ["0", "-1", "1.5", "nan", "half", "inf"])
def test_shares_that_are_none_are_refused(share: str) -> None:
    with pytest.raises(UserError, match="is no number above 0 and up to 1"):
        read_backgrounds(f"A:{share}", None)


@pytest.mark.parametrize("maps", ["B:0.5", "B"])
def test_more_than_all_pictures_are_refused(maps: str) -> None:
    with pytest.raises(UserError, match="together they are at most 1"):
        read_backgrounds("A:0.6" if ":" in maps else "A:1", maps)


def test_a_folder_may_have_a_colon_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "a:0.5").mkdir()
    read = read_backgrounds(str(tmp_path / "a:0.5"), None)
    assert read is not None
    assert read.shares == {"backgrounds": 1.0}


def test_pictures_take_backgrounds_by_share(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "m.hdr"):
        (tmp_path / name).touch()
    read = read_backgrounds(f"{tmp_path}:0.5", f"{tmp_path}:0.2")
    assert read is not None
    drawn = [read.of(3, index) for index in range(1000)]
    kinds = Counter(found.kind if found else "place" for found in drawn)
    assert 440 < kinds["backgrounds"] < 560
    assert 160 < kinds["hdri"] < 240
    names = Counter(found.name for found in drawn if found and found.kind == "backgrounds")
    assert min(names.values()) > 0.4 * kinds["backgrounds"]
    assert [read.of(3, index) for index in range(1000)] == drawn
