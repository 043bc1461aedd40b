"""The materials of a shot on the device: tables by surface, and one long run of texels.

A surface is found by the triangle a ray hits. What kernels read are lengths of memory, so a kernel
compiled for one shot serves every other. The variant must be set before the import.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

import drjit as dr
import mitsuba as mi
import numpy as np

from spinetrack_synth.rendering.packing import Packed, texels
from spinetrack_synth.rendering.shading import Scatter
from spinetrack_synth.shot import Material

TEXEL_BUDGET: Final = 1 << 27
"""Texels kept for surfaces of earlier shots (4 bytes each)."""


class SurfaceTable:
    """Per-surface values of the present shot, and the texels of recent shots by surface key."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Texels] = OrderedDict()
        self._present: list[_Texels] = []

    def load(self, packed: Packed) -> None:
        """Make the materials of a shot the present ones."""
        images = [self._image(key, m) for key, m in zip(packed.keys, packed.materials)]
        wrinkled = {
            number: self._image(f"{packed.keys[number]} normals", Material(material.normals))
            for number, material in enumerate(packed.materials)
            if material.normals is not None
        }
        images += wrinkled.values()
        if images != self._present:
            self.texel = dr.concat([image.texel for image in images])
            self._present = images
        sizes = np.array([(image.height, image.width) for image in images], dtype=np.uint32)
        areas = sizes.prod(axis=1, dtype=np.uint64)
        self.first_texel = mi.UInt32(_two_or_more(np.cumsum(areas) - areas))
        self.height = mi.UInt32(_two_or_more(sizes[:, 0]))
        self.width = mi.UInt32(_two_or_more(sizes[:, 1]))
        self.of_face = mi.UInt32(_two_or_more(packed.face_surface))
        materials = packed.materials
        self.roughness = mi.Float(_two_or_more([m.roughness for m in materials], np.float32))
        self.specular = mi.Float(_two_or_more([m.specular for m in materials], np.float32))
        self.emission = mi.Float(_two_or_more(packed.emission.ravel(), np.float32))
        self.masked = mi.UInt32(_two_or_more([m.opacity is not None for m in materials]))
        relief = np.zeros(len(materials), np.uint32)  # entry of the normals, 0 for none
        relief[list(wrinkled)] = len(materials) + np.arange(len(wrinkled))
        self.relief = mi.UInt32(_two_or_more(relief))
        # Known to the kernels: without masks a shadow ray may stop at whatever it meets first.
        self.any_masked = any(m.opacity is not None for m in materials)
        self.any_relief = bool(wrinkled)
        self._forget((*packed.keys, *(f"{packed.keys[n]} normals" for n in wrinkled)))

    def texel_at(self, surface: Any, uv: Any, active: Any) -> tuple[Any, Any]:
        """Linear colour and opacity at uv, bilinear, repeating; row 0 lies at v = 0."""
        corners, along, up = self._corners(surface, uv, active)
        (c00, a00), (c10, a10), (c01, a01), (c11, a11) = (
            (_linear(mi.Color3f(rgba[:3])), rgba[3]) for rgba in corners
        )
        color = dr.lerp(dr.lerp(c00, c10, along), dr.lerp(c01, c11, along), up)
        opacity = dr.lerp(dr.lerp(a00, a10, along), dr.lerp(a01, a11, along), up)
        return color, opacity

    def shading_frame(self, surface: Any, si: Any, wi: Any, active: Any) -> Any:
        """The frame at a hit, turned as the surface's map of normals has it.

        Where the turned surface would face away from ``wi`` (world) it stays as it is.
        """
        entry = dr.gather(mi.UInt32, self.relief, surface, active)
        active = active & (entry != 0)
        corners, along, up = self._corners(entry, si.uv, active)
        c00, c10, c01, c11 = (2 * mi.Vector3f(rgba[:3]) - 1 for rgba in corners)
        bent = dr.lerp(dr.lerp(c00, c10, along), dr.lerp(c01, c11, along), up)
        frame = si.sh_frame
        bitangent = dr.mulsign(frame.t, dr.dot(frame.t, si.dp_dv))
        normal = dr.normalize(frame.s * bent.x + bitangent * bent.y + frame.n * bent.z)
        same_side = dr.dot(normal, wi) * dr.dot(frame.n, wi) > 0
        return mi.Frame3f(dr.select(active & same_side, normal, frame.n))

    def _corners(self, surface: Any, uv: Any, active: Any) -> tuple[list[Any], Any, Any]:
        """The four texels about uv, channels 0..1, and where between them it lies."""
        first = dr.gather(mi.UInt32, self.first_texel, surface, active)
        width = mi.Int32(dr.gather(mi.UInt32, self.width, surface, active))
        height = mi.Int32(dr.gather(mi.UInt32, self.height, surface, active))
        uv = uv - dr.floor(uv)
        x = uv.x * mi.Float(width) - 0.5
        y = uv.y * mi.Float(height) - 0.5
        left, below = dr.floor(x), dr.floor(y)
        along, up = x - left, y - below
        x0, y0 = mi.Int32(left), mi.Int32(below)
        x1, y1 = x0 + 1, y0 + 1
        x0, y0 = dr.select(x0 < 0, x0 + width, x0), dr.select(y0 < 0, y0 + height, y0)
        x1, y1 = dr.select(x1 >= width, x1 - width, x1), dr.select(y1 >= height, y1 - height, y1)

        def corner(column: Any, row: Any) -> list[Any]:
            word = dr.gather(mi.UInt32, self.texel, first + mi.UInt32(row * width + column), active)
            return [mi.Float((word >> (8 * channel)) & 255) * (1 / 255) for channel in range(4)]

        places = ((x0, y0), (x1, y0), (x0, y1), (x1, y1))
        return [corner(*place) for place in places], along, up

    def scatter_at(self, surface: Any, color: Any, active: Any) -> Scatter:
        """How a surface scatters light where it has this colour."""
        return Scatter(
            color,
            dr.gather(mi.Float, self.roughness, surface, active),
            dr.gather(mi.Float, self.specular, surface, active),
        )

    def surface_at(self, face: Any, active: Any) -> Any:
        """Index of the surface a face belongs to."""
        return dr.gather(mi.UInt32, self.of_face, face, active)

    def _image(self, key: str, material: Material) -> _Texels:
        kept = self._kept.get(key)
        if kept is None or not kept.are_of(material):
            image = texels(material)
            height, width = image.shape[:2]
            words = mi.UInt32(image.view(np.uint32).ravel())
            self._kept[key] = kept = _Texels(words, height, width, material)
        self._kept.move_to_end(key)
        return kept

    def _forget(self, present: tuple[str, ...]) -> None:
        """Drop the longest unused texels above the budget, never those of the present shot."""
        total = sum(image.height * image.width for image in self._kept.values())
        for key in list(self._kept):
            if total <= TEXEL_BUDGET or key in present:
                return
            dropped = self._kept.pop(key)
            total -= dropped.height * dropped.width


@dataclass(frozen=True, eq=False)
class _Texels:
    """A surface's image on the device, row by row from v = 0, and what it was made from."""

    texel: Any
    height: int
    width: int
    material: Material

    def are_of(self, material: Material) -> bool:
        """Whether they show this material: a key that changed its images is no reason to lie."""
        mine, theirs = self.material.base_color, material.base_color
        if isinstance(mine, tuple) and isinstance(theirs, tuple):
            same_color = mine == theirs
        else:
            same_color = mine is theirs
        return same_color and self.material.opacity is material.opacity


def _linear(srgb: Any) -> Any:
    """sRGB 0..1 to linear by a cubic (Taylor 2010), within .002 of the exact curve."""
    return srgb * (srgb * (srgb * 0.305306011 + 0.682171111) + 0.012522878)


def _two_or_more(values: Any, dtype: Any = np.uint32) -> Any:
    """The values, at least two: Dr.Jit treats arrays of one as constants and compiles them in."""
    array = np.asarray(values, dtype=dtype)
    return np.ascontiguousarray(np.resize(array, 2) if array.size == 1 else array)
