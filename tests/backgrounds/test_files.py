"""Photographs and environment maps from files, sound and not."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from radiance_files import sky_with_sun, write_hdr

from spinetrack_synth.backgrounds.files import PHOTO_SUFFIXES, files_in, read_map, read_photo
from spinetrack_synth.errors import UserError

needs_mitsuba = pytest.mark.skipif(
    find_spec("mitsuba") is None, reason="pip install 'spinetrack-synth[render]'"
)


def shaded(mode: str = "RGB", size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Red grows to the right, green downwards."""
    y, x = np.mgrid[: size[1], : size[0]]
    rgb = np.stack([x * 255 / size[0], y * 255 / size[1], 0 * x + 60], axis=-1)
    return Image.fromarray(rgb.astype(np.uint8)).convert(mode)


def test_folders_list_pictures_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.JPG", "in/a.png", "LICENSE.txt", ".hidden.jpg"):
        (tmp_path / name).touch()
    assert list(files_in(tmp_path, PHOTO_SUFFIXES, "photographs")) == ["b.JPG", "in/a.png"]


def test_folders_without_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no photographs"):
        files_in(tmp_path, PHOTO_SUFFIXES, "photographs")
    with pytest.raises(UserError, match="there is no such folder"):
        files_in(tmp_path / "nowhere", PHOTO_SUFFIXES, "photographs")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        files_in(tmp_path / "file", PHOTO_SUFFIXES, "photographs")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_colours_of_any_mode_come_out_alike(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("photo.jpg" if mode == "CMYK" else "photo.png")
    shaded(mode).save(path, quality=98) if mode == "CMYK" else shaded(mode).save(path)
    read = read_photo(path).astype(int)
    assert read.shape == (64, 96, 3)
    assert np.abs(read - np.asarray(shaded()).astype(int)).mean() < (17 if mode == "P" else 3)


def test_sixteen_bits_of_grey_keep_their_tones(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 96).astype(np.uint16), (64, 1))
    Image.fromarray(ramp).save(tmp_path / "grey.png")
    read = read_photo(tmp_path / "grey.png")
    assert np.abs(read[10, :, 1].astype(int) - np.linspace(0, 255, 96)).max() <= 1
    assert (read[..., 0] == read[..., 2]).all()


def test_turned_photographs_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: turn by 90 degrees with the clock
    shaded().save(tmp_path / "turned.png", exif=exif)
    read = read_photo(tmp_path / "turned.png")
    np.testing.assert_array_equal(read, np.rot90(np.asarray(shaded()), -1))


def test_profiles_of_colour_are_applied(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A space whose first channel is green and whose second is red.
    swapped = profile.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")
    odd = Image.fromarray(np.asarray(shaded())[..., [1, 0, 2]])
    odd.save(tmp_path / "odd.png", icc_profile=swapped)
    read = read_photo(tmp_path / "odd.png").astype(int)
    assert np.abs(read - np.asarray(shaded())).max() <= 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cannot be read as a picture"),
        (b"no picture at all", "cannot be read as a picture"),
        ("truncated", "truncated"),
        ("tiny", "is 8x8 pixels"),
    ],
)
def test_what_is_no_picture_is_refused(content: bytes | str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    if content == "truncated":
        shaded(size=(300, 200)).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif content == "tiny":
        shaded(size=(8, 8)).save(path)
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=told) as error:
        read_photo(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@needs_mitsuba
def test_a_map_holds_light_beyond_white(tmp_path: Path) -> None:
    sky = sky_with_sun(40, 100)
    read = read_map(write_hdr(tmp_path / "sky.hdr", sky))
    np.testing.assert_allclose(read, sky, rtol=0.02, atol=0.01)


@needs_mitsuba
@pytest.mark.parametrize("kind", ["png", "square", "nan", "black", "cut", "empty", "small"])
def test_what_is_no_environment_map_is_refused(kind: str, tmp_path: Path) -> None:
    import mitsuba as mi

    path = tmp_path / ("map.exr" if kind == "nan" else "map.hdr")
    sky = sky_with_sun(40, 100)
    if kind == "png":
        shaded(size=(128, 64)).save(tmp_path / "ldr.png")
        path.write_bytes((tmp_path / "ldr.png").read_bytes())
    elif kind == "nan":
        sky[3, 5] = np.nan
        mi.Bitmap(sky).write(str(path))
    elif kind == "empty":
        path.touch()
    else:
        made = {"square": sky[:, :64], "black": 0 * sky, "cut": sky, "small": sky[:16, :32]}[kind]
        write_hdr(path, made)
        if kind == "cut":
            path.write_bytes(path.read_bytes()[:9000])
    told = {
        "png": "is no environment map", "square": "twice as wide", "nan": "no numbers",
        "black": "is black", "cut": "cannot be read", "empty": "is no environment map",
        "small": "is only 32x16",
    }[kind]  # fmt: skip
    with pytest.raises(UserError, match=told) as error:
        read_map(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@needs_mitsuba
def test_an_infinite_sun_is_a_bright_one(tmp_path: Path) -> None:
    import mitsuba as mi

    sky = sky_with_sun(40, 100)
    sky[sky > 1000] = np.inf
    mi.Bitmap(sky).write(str(tmp_path / "map.exr"))
    assert read_map(tmp_path / "map.exr").max() == 65504
