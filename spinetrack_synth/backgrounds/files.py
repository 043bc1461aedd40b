"""The user's own photographs and environment maps: found in a folder, read, refused in one line."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.errors import UserError

PHOTO_SUFFIXES: Final = (
    ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".heic", ".heif", ".avif",
)  # fmt: skip
MAP_SUFFIXES: Final = (".hdr", ".exr")

LEAST_SIDE_PX: Final = 64
"""A smaller picture is an icon, no background."""

WIDEST_MAP_PX: Final = 8192
"""Wider environment maps are halved until they fit: that is 23 pixels a degree."""

BRIGHTEST: Final = 65504.0
"""What OpenEXR's half floats end at; suns beyond it were written as infinite."""

_MAGIC: Final = {".hdr": (b"#?RADIANCE", b"#?RGBE"), ".exr": (b"\x76\x2f\x31\x01",)}


def files_in(folder: Path, suffixes: tuple[str, ...], kind: str) -> dict[str, Path]:
    """The files of a folder and its subfolders with one of the suffixes, by relative name, sorted.

    Raises UserError where the folder is missing, cannot be read or has none of them; ``kind`` says
    what they are.
    """
    if not folder.is_dir():
        problem = "is a file" if folder.exists() else "there is no such folder"
        raise UserError(f"{folder}: {problem}; give a folder of {kind}")
    try:
        next(folder.iterdir(), None)
        paths = [
            path for path in folder.rglob("*")
            if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
        ]  # fmt: skip
    except OSError as error:
        raise UserError(f"{folder}: cannot be read: {error.strerror or error}") from None
    if not paths:
        raise UserError(f"{folder}: holds no {kind} ({', '.join(suffixes)})")
    return dict(sorted((path.relative_to(folder).as_posix(), path) for path in paths))


def sha256_of(path: Path) -> str:
    """A file's checksum. Raises UserError where it cannot be read."""
    try:
        return file_sha256(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None


def read_photo(path: Path) -> NDArray[np.uint8]:
    """A photograph (H, W, 3) sRGB, turned upright as its EXIF data say, its ICC profile applied.

    Raises UserError where it is no picture, cut short, or smaller than ``LEAST_SIDE_PX``.
    """
    from PIL import Image, ImageOps

    _register_heif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large files and odd tags are told by what comes out
            with Image.open(path) as opened:
                opened.load()
                upright = ImageOps.exif_transpose(opened)
            rgb = np.asarray(_as_srgb(upright))
    except MemoryError:
        raise UserError(f"{path}: is too large a picture for this machine's memory") from None
    except Exception as error:  # Pillow's decoders raise whatever the file makes them stumble over
        raise UserError(f"{path}: cannot be read as a picture: {_first_line(error)}") from None
    if min(rgb.shape[:2]) < LEAST_SIDE_PX:
        raise UserError(
            f"{path}: is {rgb.shape[1]}x{rgb.shape[0]} pixels; "
            f"a background has at least {LEAST_SIDE_PX} on each side"
        )
    return np.ascontiguousarray(rgb)


def read_map(path: Path) -> NDArray[np.float32]:
    """An environment map (H, 2 H, 3), linear RGB, as it lies in the file: equirectangular, up on
    top. Infinite values become ``BRIGHTEST``, negative ones 0.

    Raises UserError where the file is no such map, cut short, not twice as wide as high, black, or
    holds values that are no numbers.
    """
    magic = _MAGIC[path.suffix.lower()]
    try:
        with path.open("rb") as stream:
            start = stream.read(max(map(len, magic)))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not start.startswith(magic):
        raise UserError(
            f"{path}: is no environment map, whatever its name says; "
            "give Radiance .hdr or OpenEXR .exr files, which hold light beyond white"
        )
    radiance = _decoded(path)
    height, width = radiance.shape[:2]
    if width != 2 * height:
        raise UserError(
            f"{path}: is {width}x{height} pixels; an equirectangular map is twice as wide as high"
        )
    if height < LEAST_SIDE_PX:
        raise UserError(f"{path}: is only {width}x{height} pixels; at least 128x64 are needed")
    if np.isnan(radiance).any():
        raise UserError(f"{path}: {int(np.isnan(radiance).sum())} values are no numbers (nan)")
    radiance = np.clip(radiance, 0, BRIGHTEST)
    if not radiance.any():
        raise UserError(f"{path}: is black; there is no light in it")
    while radiance.shape[1] > WIDEST_MAP_PX:
        radiance = halved(radiance)
    return radiance


def halved(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 x 2 pixels of an image (H, W, 3); an odd row or column is left out."""
    height, width = (side // 2 * 2 for side in image.shape[:2])
    cut = image[:height, :width]
    mean: NDArray[np.float32] = (
        cut[::2, ::2] + cut[1::2, ::2] + cut[::2, 1::2] + cut[1::2, 1::2]
    ) / np.float32(4)
    return mean


def _decoded(path: Path) -> NDArray[np.float32]:
    import mitsuba as mi

    try:
        with _quiet_mitsuba(mi):
            bitmap = mi.Bitmap(str(path))
            bitmap = bitmap.convert(
                mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.Float32, srgb_gamma=False
            )
            image = np.array(bitmap, dtype=np.float32)
    except Exception as error:  # Mitsuba's readers raise RuntimeError, numpy what it likes
        raise UserError(f"{path}: cannot be read: {_first_line(error)}") from None
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise UserError(f"{path}: holds no colours")
    return image


def _quiet_mitsuba(mi: Any) -> Any:
    """Nothing but errors on standard error while a file is read."""
    import contextlib

    @contextlib.contextmanager
    def quiet() -> Any:
        level = mi.logger().log_level()
        mi.set_log_level(mi.LogLevel.Error)
        try:
            yield
        finally:
            mi.set_log_level(level)

    return quiet()


def _as_srgb(image: Any) -> Any:
    """A Pillow image of any mode as RGB in sRGB."""
    from PIL import Image, ImageCms

    profile = image.info.get("icc_profile")
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits and more of grey
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max(initial=0) > 255 or image.mode.startswith("I;16") else 255.0
        image = Image.fromarray(np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8))
    if image.mode in ("P", "PA", "1", "LA", "La", "RGBa"):
        image = image.convert("RGB")
    if profile and image.mode in ("RGB", "RGBA", "L", "CMYK", "LAB"):
        if image.mode == "RGBA":
            image = image.convert("RGB")
        try:
            return ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except ImageCms.PyCMSError:
            pass  # a broken profile, or one of another colour space: the numbers as they are
    return image.convert("RGB")


def _register_heif() -> None:
    """Let Pillow read iPhones' pictures where a reader is installed."""
    from importlib import import_module

    for name in ("pillow_heif", "pi_heif"):
        try:
            register: Callable[[], None] = import_module(name).register_heif_opener
        except (ImportError, AttributeError):
            continue
        register()
        return


def _first_line(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return said[0].rstrip(".") if said else type(error).__name__
