"""Pictures of every kind that people have, and as their dataset records them."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")

import cv2

from spinetrack_synth.errors import PictureError
from spinetrack_synth.spinepose import image_files
from spinetrack_synth.spinepose.image_files import read_picture, read_recorded

LEFT, RIGHT = (200, 60, 30), (30, 90, 210)
"""RGB of the two halves of the picture."""


def halves() -> Image.Image:
    image = Image.new("RGB", (40, 24), LEFT)
    image.paste(RIGHT, (20, 0, 40, 24))
    return image


def turned(path: Path, orientation: int = 6) -> Path:
    exif = Image.Exif()
    exif[image_files.ORIENTATION] = orientation
    halves().save(path, exif=exif)
    return path


def colors(picture: np.ndarray, *places: tuple[int, int]) -> list[np.ndarray]:
    return [picture[place][::-1].astype(int) for place in places]


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.jpg", "RGB", {}),
        ("a.jpg", "RGB", {"progressive": True}),
        ("a.jpg", "CMYK", {}),
        ("a.png", "RGBA", {}),
        ("a.png", "P", {}),
        ("a.webp", "RGB", {}),
        ("a.tif", "RGB", {"compression": "tiff_lzw"}),
        ("a.bmp", "RGB", {}),
        ("a.gif", "P", {"save_all": True}),
        pytest.param(
            "a.avif", "RGB", {},
            marks=pytest.mark.skipif(not features.check("avif"), reason="an older Pillow"),
        ),
    ],
)  # fmt: skip
def test_kinds_of_pictures(tmp_path: Path, name: str, mode: str, options: dict[str, Any]) -> None:
    image = halves().convert(mode)
    more = {"append_images": [image.rotate(180)]} if "save_all" in options else {}
    image.save(tmp_path / name, **options, **more)
    picture = read_picture(tmp_path / name)
    assert (picture.shape, picture.dtype) == ((24, 40, 3), np.uint8)
    left, right = colors(picture, (12, 5), (12, 35))
    np.testing.assert_allclose(left, LEFT, atol=60 if mode in "CMYK P" else 12)
    np.testing.assert_allclose(right, RIGHT, atol=60 if mode in "CMYK P" else 12)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "1"])
def test_grey_pictures(tmp_path: Path, mode: str) -> None:
    grey = np.zeros((24, 40), np.uint8)
    grey[:, 20:] = 255
    image = Image.fromarray(grey.astype(np.uint16) * 257 if mode == "I;16" else grey)
    (image if mode == "I;16" else image.convert(mode)).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    left, right = colors(picture, (12, 5), (12, 35))
    assert (left.tolist(), right.tolist()) == ([0] * 3, [255] * 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".gif", ".bmp"])
def test_a_part_of_a_file_is_no_picture(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, Image.registered_extensions()[suffix])
    path = tmp_path / f"a{suffix}"
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(PictureError, match=r"no picture that OpenCV can decode: .* cut off"):
        read_picture(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jpg", b"", "a.jpg: no picture that OpenCV can decode: the file is empty"),
        ("a.jpg", b"a shopping list", "a.jpg: no picture that OpenCV can decode"),
        ("._a.jpg", b"\0\5\x16\7\0\2\0\0Mac OS X", "what macOS notes about the file a.jpg"),
        ("a.nef", b"II*\0", "a.nef: a camera's raw file: convert it"),
        ("a.jpg", b"\0\0\0\x1cftypheic", r"HEIC picture: pip install 'spinetrack-synth\[heic\]'"),
        ("a.jxl", b"\xff\x0a\0", "a.jxl: a JPEG XL picture: convert it"),
        ("a.avif", b"\0\0\0\x1cftypavif", "AVIF"),
    ],
)
def test_what_is_no_picture_is_told(
    tmp_path: Path, name: str, content: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_files, "HEIC_READERS", ())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PictureError, match=message):
        read_picture(tmp_path / name)


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PictureError, match=r"a.jpg: cannot be read: Permission denied"):
        read_picture(tmp_path / "a.jpg")


HEIC = """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA
AAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAFkAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABo
dmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEA
GEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAA
AwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAAB
AAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAGFt
ZGF0AAAAVSgBrxOA9SeBP//KZR//Mpnh9jrUxP/1sWo/nVtf/lKbduAxvOfJifHbg/vLI1CCm1got1pX7C3z7EfVsF2t
Ilkp0YZdkh/S5HAXNG1w5qBuZloNi8A=
"""
"""The two halves in 64 x 48, as pillow-heif 1.8 writes them."""


def test_heic(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif", reason="pip install 'spinetrack-synth[heic]'")
    content = base64.b64decode(HEIC)
    (tmp_path / "a.heic").write_bytes(content)
    picture = read_picture(tmp_path / "a.heic")
    assert picture.shape == (48, 64, 3)
    np.testing.assert_allclose(colors(picture, (24, 8), (24, 56)), [LEFT, RIGHT], atol=12)
    (tmp_path / "b.heic").write_bytes(content[:-60])
    with pytest.raises(PictureError, match=r"b.heic: HEIC that Pillow cannot decode"):
        read_picture(tmp_path / "b.heic")


NEW_OPENCV = pytest.mark.skipif(int(cv2.__version__[0]) < 5, reason="OpenCV 4 turns no WebP")


@pytest.mark.parametrize("suffix", [".jpg", ".png", pytest.param(".webp", marks=NEW_OPENCV)])
def test_a_turned_picture_is_taken_as_its_record_says(tmp_path: Path, suffix: str) -> None:
    path = turned(tmp_path / f"a{suffix}")
    assert read_picture(path).shape == (40, 24, 3)
    assert read_recorded(path, None)[0].shape == (40, 24, 3)
    upright, note = read_recorded(path, (24, 40))
    assert (upright.shape, note) == ((40, 24, 3), "")
    stored, note = read_recorded(path, (40, 24))
    assert stored.shape == (24, 40, 3)
    assert note == f"{path}: turned by EXIF, but recorded as 40 x 24: looked at unturned"
    np.testing.assert_allclose(colors(stored, (12, 5))[0], LEFT, atol=12)
    half, note = read_recorded(path, (20, 12))
    assert (half.shape, "unturned, in that size" in note) == ((12, 20, 3), True)


def test_half_a_turn_cannot_be_told_from_the_size(tmp_path: Path) -> None:
    path = turned(tmp_path / "a.jpg", 3)
    picture, note = read_recorded(path, (40, 24))
    np.testing.assert_allclose(colors(picture, (12, 5))[0], RIGHT, atol=12)
    assert note == f"{path}: turned by EXIF (orientation 3): its boxes are taken to be so too"


@pytest.mark.parametrize("size_wh", [(80, 48), (20, 12), (27, 16)])
def test_another_size_of_the_same_shape_is_taken(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    halves().save(tmp_path / "a.png")
    picture, note = read_recorded(tmp_path / "a.png", size_wh)
    assert picture.shape == (size_wh[1], size_wh[0], 3)
    assert "40 x 24, recorded as {} x {}: looked at in that size".format(*size_wh) in note


@pytest.mark.parametrize("size_wh", [(40, 30), (24, 40), (40 * 10**6, 24 * 10**6)])
def test_another_shape_is_another_picture(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    halves().save(tmp_path / "a.png")
    with pytest.raises(PictureError, match=r"a\.png: 40 x 24, but recorded as"):
        read_recorded(tmp_path / "a.png", size_wh)
