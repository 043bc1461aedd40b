"""Looks as trimesh holds them, as our materials, and back: colours, pictures, colours of vertices.

glTF's factors and colours of vertices are linear, those of other formats sRGB, as ours are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from spinetrack_synth.shot import Material

if TYPE_CHECKING:
    import trimesh

Array = npt.NDArray[np.float64]
Color = tuple[float, float, float]

LARGEST_SIDE_PX: Final = 2048
"""Larger pictures are made smaller: more does not show on a thing some metres away."""

MOST_COLORS: Final = 256
"""Colours that are kept of those that faces have."""

_CELLS: Final = 16
_CELL_PX: Final = 8
"""The picture of colours: 16 x 16 cells, each a block of JPEG, so that neighbours do not mix."""

_STAND_IN_PX: Final = (2, 2)
"""Size of the picture that trimesh makes for uv without a material."""

_METAL_SPECULAR: Final = 0.7
"""Reflection of what is more metal than not: our material knows no metal."""


Painted = dict[tuple[object, ...], Material]
"""Materials with pictures that were made: meshes of a file share them."""


def look_of(
    mesh: trimesh.Trimesh, missing: Color, linear: bool, painted: Painted
) -> tuple[Material, Array]:
    """The material of a mesh, and uv (F, 3, 2) at the corners of its faces.

    ``missing`` is the colour of what has none; ``linear`` says that factors are, as glTF's. Raises
    OSError or ValueError where a picture cannot be read.
    """
    visual: Any = mesh.visual  # one of two classes, told apart by its kind
    no_uv = np.zeros((len(mesh.faces), 3, 2))
    if visual.kind in ("vertex", "face"):
        return _colored(np.asarray(visual.face_colors, dtype=float), linear)
    material = getattr(visual, "material", None)
    if visual.kind != "texture" or material is None:
        return Material(missing), no_uv
    tint = getattr(visual, "vertex_attributes", {}).get("color")
    if hasattr(material, "baseColorFactor"):
        look, picture = _physical(material), material.baseColorTexture
    elif not material.kwargs and (material.image is None or material.image.size == _STAND_IN_PX):
        return Material(missing), no_uv  # the file names no material
    elif material.image is None:
        look, picture = Material(_srgb(material.diffuse)), None
    else:  # programs differ in whether its colour counts beside a picture; many write black
        look, picture = Material((1.0, 1.0, 1.0)), material.image
    factor = np.asarray(look.base_color, dtype=float)
    if linear:
        factor = to_srgb(factor)
    solid = getattr(material, "alphaMode", None) not in ("MASK", "BLEND")
    rgba = getattr(material, "baseColorFactor", None)
    alpha = 1.0 if solid or rgba is None else float(_unit_range(np.asarray(rgba))[3])
    uv = getattr(visual, "uv", None)
    if picture is not None and uv is not None and len(uv) == len(mesh.vertices):
        key = (id(picture), *factor.tolist(), alpha, solid, look.roughness, look.specular)
        if key not in painted:
            colors, holes = _picture(picture, factor)
            opacity = np.rint(alpha * holes).astype(np.uint8)
            holed = opacity if not solid and opacity.min() < 255 else None
            painted[key] = Material(colors, look.roughness, look.specular, holed)
        return painted[key], np.nan_to_num(np.asarray(uv, dtype=float))[mesh.faces]
    if tint is not None and len(tint) == len(mesh.vertices):
        per_face = _unit_range(np.asarray(tint))[:, :3][mesh.faces].mean(axis=1)
        return _colored(255 * per_face * to_linear(factor), linear)
    red, green, blue = (float(value) for value in factor)
    pane = np.full((1, 1), round(255 * alpha), dtype=np.uint8) if alpha < 1 else None
    return Material((red, green, blue), look.roughness, look.specular, pane), no_uv


def to_srgb(linear: npt.ArrayLike) -> Array:
    """Linear values 0..1 as sRGB."""
    values = np.clip(np.asarray(linear, dtype=float), 0, 1)
    curve = 1.055 * np.power(values, 1 / 2.4) - 0.055
    srgb: Array = np.where(values <= 0.0031308, 12.92 * values, curve)
    return srgb


def to_linear(srgb: npt.ArrayLike) -> Array:
    """sRGB values 0..1 as linear ones."""
    values = np.clip(np.asarray(srgb, dtype=float), 0, 1)
    curve = ((values + 0.055) / 1.055) ** 2.4
    linear: Array = np.where(values <= 0.04045, values / 12.92, curve)
    return linear


def _physical(material: trimesh.visual.material.PBRMaterial) -> Material:
    """A material of glTF without its picture; what it does not say is as glTF has it: 1."""
    color = (1.0, 1.0, 1.0) if material.baseColorFactor is None else _srgb(material.baseColorFactor)
    roughness = 1.0 if material.roughnessFactor is None else float(material.roughnessFactor)
    metal = 1.0 if material.metallicFactor is None else float(material.metallicFactor)
    textured = material.metallicRoughnessTexture is not None
    specular = _METAL_SPECULAR if metal > 0.5 and not textured else Material(color).specular
    return Material(color, float(np.clip(roughness, 0, 1)), specular)


def _srgb(rgba: npt.ArrayLike) -> Color:
    """The first three of trimesh's channels, 0..255 or 0..1, as 0..1."""
    red, green, blue = (float(value) for value in _unit_range(np.asarray(rgba))[:3])
    return red, green, blue


def _unit_range(channels: npt.NDArray[np.generic]) -> Array:
    """Channels as 0..1, whether they are whole numbers or fractions."""
    whole = np.issubdtype(channels.dtype, np.integer)
    most = np.iinfo(channels.dtype).max if whole else 1  # type: ignore[type-var]  # is an integer
    unit: Array = np.clip(np.nan_to_num(channels.astype(float)) / most, 0, 1)
    return unit


def _picture(
    picture: Image.Image, factor: Array
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Colours (H, W, 3) multiplied by a factor (3,) sRGB, and opacity (H, W)."""
    if picture.mode.startswith(("I", "F")):  # 16 bits a channel
        picture = Image.fromarray((np.asarray(picture, dtype=float) / 256).astype(np.uint8))
    rgba = picture.convert("RGBA")
    rgba.thumbnail((LARGEST_SIDE_PX, LARGEST_SIDE_PX))
    channels = np.asarray(rgba)
    colors = np.array(channels[..., :3])
    if (factor < 1).any():
        shades = to_linear(np.arange(256) / 255)
        for channel, share in enumerate(to_linear(factor)):
            table = np.rint(255 * to_srgb(shades * share)).astype(np.uint8)
            colors[..., channel] = table[colors[..., channel]]
    return colors, np.array(channels[..., 3])


def _colored(face_colors: Array, linear: bool) -> tuple[Material, Array]:
    """Faces in colours of their own (F, 3 or 4) 0..255: a picture of at most 256 colours."""
    colors = np.clip(face_colors[:, :3], 0, 255) / 255
    rows = np.rint(255 * (to_srgb(colors) if linear else colors)).astype(np.uint8)
    if len(np.unique(rows, axis=0)) == 1:
        red, green, blue = (float(value) / 255 for value in rows[0])
        return Material((red, green, blue)), np.zeros((len(rows), 3, 2))
    coded = Image.fromarray(rows[None]).quantize(MOST_COLORS, dither=Image.Dither.NONE)
    number = np.asarray(coded)[0].astype(int)
    palette = np.zeros((MOST_COLORS, 3), dtype=np.uint8)
    listed = np.array(coded.getpalette(), dtype=np.uint8).reshape(-1, 3)
    palette[: len(listed)] = listed
    cells = palette.reshape(_CELLS, _CELLS, 3)
    picture = cells.repeat(_CELL_PX, axis=0).repeat(_CELL_PX, axis=1)
    column, row = number % _CELLS, number // _CELLS
    uv = np.stack([(column + 0.5) / _CELLS, 1 - (row + 0.5) / _CELLS], axis=1)
    return Material(picture), np.repeat(uv[:, None], 3, axis=1)
