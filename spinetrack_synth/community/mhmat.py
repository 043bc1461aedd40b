"""``.mhmat``: the look of an asset, as far as our materials have it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.community.lines import Line, beside, content_of, lines_of
from spinetrack_synth.errors import UserError
from spinetrack_synth.shot import Material

LARGEST_SIDE_PX: Final = 1024
"""Larger pictures are made smaller, as large as those of our own clothes."""

PICTURES: Final = (".png", ".jpg", ".jpeg", ".tga", ".bmp", ".tif", ".tiff", ".webp")
_GREY: Final = (0.6, 0.6, 0.6)
_LEAST_ROUGH: Final = 0.3


@dataclass
class _Look:
    """What the lines have said."""

    color: list[float] = field(default_factory=lambda: [1.0, 1.0, 1.0])
    specular: float = 0.1
    shininess: float = 0.2
    relief: float = 1.0
    holes: bool = False
    named: dict[str, Line] = field(default_factory=dict)


def read_mhmat(path: Path) -> Material:
    """Read a material with its pictures. Raises UserError, with file and line."""
    look = _Look()
    for line in lines_of(path, ("#", "//")):
        _take(look, line)
    color, opacity = _color(look)
    normals = look.named.get("normalmapTexture")
    return Material(
        base_color=color,
        roughness=float(np.clip(1 - look.shininess, _LEAST_ROUGH, 0.95)),
        specular=float(np.clip(look.specular, 0.05, 0.5)),
        opacity=opacity,
        normals=None if normals is None else _normals(normals, look.relief),
    )


def pictures_of(path: Path) -> tuple[Path, ...]:
    """The picture files that a material names and that are taken."""
    look = _Look()
    for line in lines_of(path, ("#", "//")):
        _take(look, line)
    return tuple(beside(line, PICTURES) for line in look.named.values())


def _take(look: _Look, line: Line) -> None:
    if line.key == "diffuseColor":
        look.color = [min(max(value, 0.0), 1.0) for value in line.floats(3)]
    elif line.key == "specularColor":
        look.specular = float(np.mean(line.floats(3)))
    elif line.key == "shininess":
        look.shininess = line.floats(1)[0]
    elif line.key == "normalmapIntensity":
        look.relief = line.floats(1)[0]
    elif line.key in ("transparent", "alphaToCoverage"):
        look.holes |= line.rest.lower() in ("true", "yes", "enabled", "1")
    elif line.key in ("diffuseTexture", "normalmapTexture") and line.words:
        look.named[line.key] = line


def _color(
    look: _Look,
) -> tuple[NDArray[np.uint8] | tuple[float, float, float], NDArray[np.uint8] | None]:
    red, green, blue = look.color
    line = look.named.get("diffuseTexture")
    if line is None:
        plain = (red, green, blue) if look.color != [1.0, 1.0, 1.0] else _GREY
        return plain, None
    picture = read_picture(beside(line, PICTURES))
    color = np.rint(picture[..., :3] * np.array(look.color)).astype(np.uint8)
    opacity = np.ascontiguousarray(picture[..., 3])
    return color, opacity if look.holes and opacity.min() < 250 else None


def _normals(line: Line, strength: float) -> NDArray[np.uint8]:
    normals = read_picture(beside(line, PICTURES))[..., :3] / 127.5 - 1
    normals[..., :2] *= np.clip(strength, -2, 2)
    normals[..., 2] = np.maximum(normals[..., 2], 0.1)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    image: NDArray[np.uint8] = np.rint((0.5 + 0.5 * normals) * 255).astype(np.uint8)
    return image


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture (H, W, 4), its larger side at most ``LARGEST_SIDE_PX``. Raises UserError."""
    content = content_of(path)
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.draft("RGB", (LARGEST_SIDE_PX, LARGEST_SIDE_PX))
            whole = picture.convert("RGBA")
    except Exception as error:  # Pillow's decoders raise of every kind
        told = (str(error).strip().splitlines() or [type(error).__name__])[0][:100]
        raise UserError(f"{path}: cannot be read as a picture: {told}") from None
    whole.thumbnail((LARGEST_SIDE_PX, LARGEST_SIDE_PX))
    return np.asarray(whole)
