"""Pictures read and written with OpenCV, in its order of colours: blue, green, red.

What OpenCV does not read, or does not turn upright, Pillow reads: HEIC and AVIF.
"""

from __future__ import annotations

import io
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import PictureError, UserError
from spinetrack_synth.extras import pip_command

Picture = NDArray[np.uint8]

JPEG_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
HEIC_SUFFIXES: Final = frozenset({".heic", ".heif", ".hif"})
RAW_SUFFIXES: Final = frozenset(
    {".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw"}
)
"""Sensor data of cameras: many of them open as a TIFF of the small preview inside."""

PICTURE_SUFFIXES: Final = (
    JPEG_SUFFIXES
    | HEIC_SUFFIXES
    | RAW_SUFFIXES
    | set(".png .bmp .webp .tif .tiff .gif .avif .jp2 .jxl .mpo .ppm .pgm".split())
)
JPEG_QUALITY: Final = 92

HEIC_READERS: Final = ("pi_heif", "pillow_heif")
"""Plugins of Pillow, either of which will do; the first cannot write and is free of GPL code."""

HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1"})
AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
APPLE_DOUBLE: Final = b"\x00\x05\x16\x07"
JPEG_XL: Final = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
STARTS: Final[dict[str, bytes | tuple[bytes, ...]]] = {
    "JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG", "GIF": b"GIF8", "WebP": b"RIFF", "BMP": b"BM",
    "TIFF": (b"II*\0", b"MM\0*"),
}  # fmt: skip
"""How files of a format begin: where one cannot be decoded it is broken or cut off."""

MOST_PIXELS: Final = 2**28
"""Recorded sizes beyond are mistakes: no picture is brought to them."""

ORIENTATION: Final = 0x0112
"""The EXIF tag that says how the camera was held."""


@cache
def opencv() -> ModuleType:
    """OpenCV, kept from talking to the terminal: what is wrong is told by us."""
    import cv2

    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)
    else:  # OpenCV 5
        from cv2.utils import logging

        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    return cv2


def read_picture(path: Path) -> Picture:
    """A picture (H, W, 3), turned upright where the camera noted how it was held.

    Of an animation, or of a file of several pages, it is the first. Raises PictureError where there
    is none or it cannot be decoded.
    """
    path = Path(path)
    return _decode(path, _content(path), upright=True)


def read_recorded(path: Path, size_wh: tuple[int, int] | None) -> tuple[Picture, str]:
    """A picture (H, W, 3) as the dataset that records its size knows it, and a note where that
    is not how it lies there.

    Upright where that fits; unturned where only that fits the record, since the boxes then lie on
    the unturned pixels; brought to the recorded size where the picture has its shape to within a
    pixel. Raises PictureError where no way fits.
    """
    path = Path(path)
    content = _content(path)
    upright = _decode(path, content, upright=True)
    if size_wh is None or _size_wh(upright) == size_wh:
        return upright, _ambiguity(path, content, size_wh)
    recorded = f"recorded as {size_wh[0]} x {size_wh[1]}"
    turned = _orientation(content) != 1
    stored = _decode(path, content, upright=False) if turned else upright
    if _size_wh(stored) == size_wh:
        return stored, f"{path}: turned by EXIF, but {recorded}: looked at unturned"
    for picture, turning in ((upright, ""), (stored, "unturned, ")):
        if _same_shape(_size_wh(picture), size_wh):
            if size_wh[0] * size_wh[1] > MOST_PIXELS:
                break
            lies = "{} x {}".format(*_size_wh(picture))
            return (
                _resized(picture, size_wh),
                f"{path}: {lies}, {recorded}: looked at {turning}in that size",
            )
    raise PictureError(
        f"{path}: {'{} x {}'.format(*_size_wh(upright))}, but {recorded}: its boxes and keypoints "
        "are of another picture"
    )


def encode_picture(picture: Picture, suffix: str) -> bytes:
    """A picture as the content of a file of that ending, such as ``.jpg`` or ``.png``."""
    cv2 = opencv()
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix.lower() in JPEG_SUFFIXES else []
    try:
        done, content = cv2.imencode(suffix, picture, quality)
    except cv2.error as error:
        raise UserError(f"{suffix}: OpenCV writes no pictures of this kind") from error
    if not done:
        raise UserError(f"{suffix}: OpenCV could not encode a picture")
    return bytes(content.tobytes())


def _content(path: Path) -> bytes:
    if path.suffix.lower() in RAW_SUFFIXES:
        raise PictureError(f"{path}: a camera's raw file: convert it to JPEG, PNG or TIFF")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror}") from error
    if not content:
        raise PictureError(f"{path}: no picture that OpenCV can decode: the file is empty")
    if content.startswith(APPLE_DOUBLE):
        raise PictureError(
            f"{path}: no picture that OpenCV can decode: what macOS notes about the file "
            f"{path.name.removeprefix('._')}"
        )
    return content


def _decode(path: Path, content: bytes, *, upright: bool) -> Picture:
    brand = content[8:12] if content[4:8] == b"ftyp" else b""
    if brand in HEIC_BRANDS:
        return _by_pillow(path, content, "HEIC", upright=upright)
    if brand in AVIF_BRANDS:
        return _by_pillow(path, content, "AVIF", upright=upright)
    if content.startswith(JPEG_XL):
        raise PictureError(f"{path}: a JPEG XL picture: convert it to JPEG or PNG")
    cv2 = opencv()
    flags = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:  # more pixels than OpenCV allows
        picture = None
    if picture is None:
        kinds = [kind for kind, start in STARTS.items() if content.startswith(start)]
        why = f": {kinds[0]} that is broken, cut off or of a rare kind" if kinds else ""
        raise PictureError(f"{path}: no picture that OpenCV can decode{why}")
    return np.asarray(picture, np.uint8)


def _by_pillow(path: Path, content: bytes, kind: str, *, upright: bool) -> Picture:
    from PIL import Image, ImageOps, features

    if kind == "HEIC":
        reader = next((name for name in HEIC_READERS if find_spec(name)), None)
        if reader is None:
            remedy = pip_command("heic")
            raise PictureError(f"{path}: a HEIC picture: {remedy}, or convert it to JPEG")
        import_module(reader).register_heif_opener()
    elif not features.check("avif"):
        raise PictureError(f"{path}: an AVIF picture: pip install -U pillow, or convert it to JPEG")
    try:
        with Image.open(io.BytesIO(content)) as image:
            shown = ImageOps.exif_transpose(image) if upright else image
            rgb = np.asarray(shown.convert("RGB"))
    except Exception as error:  # Pillow and its plugins raise what they like
        raise PictureError(
            f"{path}: {kind} that Pillow cannot decode: broken or cut off"
        ) from error
    return np.ascontiguousarray(rgb[..., ::-1])


def _orientation(content: bytes) -> int:
    """The EXIF orientation: 1 where nothing is turned or nothing is said."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            return int(image.getexif().get(ORIENTATION, 1) or 1)
    except Exception:  # a picture that OpenCV alone reads
        return 1


def _ambiguity(path: Path, content: bytes, size_wh: tuple[int, int] | None) -> str:
    """What is to be said where the size does not tell which way the boxes lie."""
    orientation = _orientation(content) if size_wh else 1
    if orientation == 1 or (orientation > 4 and size_wh and size_wh[0] != size_wh[1]):
        return ""
    return f"{path}: turned by EXIF (orientation {orientation}): its boxes are taken to be so too"


def _size_wh(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _same_shape(size_wh: tuple[int, int], other_wh: tuple[int, int]) -> bool:
    """Whether one is the other at another scale, sides being rounded to pixels."""
    (width, height), (other_width, other_height) = sorted((size_wh, other_wh))
    scale = max(other_width / width, other_height / height)
    return abs(other_width / scale - width) <= 1 and abs(other_height / scale - height) <= 1


def _resized(picture: Picture, size_wh: tuple[int, int]) -> Picture:
    cv2 = opencv()
    shrinks = size_wh[0] < picture.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size_wh, interpolation=way), np.uint8)
