"""Heights above a sheet as a picture of normals in the frames of its uv."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats
from spinetrack_synth.avatars.mesh import Sheet
from spinetrack_synth.avatars.textures import TexelMap

_STEEPEST: Final = 0.8
"""Greatest slope that is kept: steeper faces would show another side than they light."""


def relief_image(
    texels: TexelMap, sheet: Sheet, points: Array, height_m: Floats
) -> NDArray[np.uint8]:
    """Normals (size, size, 3) of heights (N,) m at the covered texels, as ``Material`` has them.

    ``points`` (P, 3) m are the sheet's vertices where heights are told.
    """
    image = height_m.astype(np.float32)[texels.nearest].reshape(texels.size, texels.size)
    by_row, by_column = np.gradient(image)
    flat = texels.texel
    by_u, by_v = by_column.ravel()[flat] * texels.size, -by_row.ravel()[flat] * texels.size
    along_u, skew, along_v = _stretch(sheet, points)[texels.face].T
    # Height over the plane of the face: h_u = slope_t |p_u|, h_v = slope_t skew + slope_b along_v.
    tangent = by_u / along_u
    bitangent = (by_v - tangent * skew) / along_v
    slope = np.stack([tangent, bitangent], axis=1)
    steep = np.linalg.norm(slope, axis=1, keepdims=True)
    slope *= np.minimum(1, _STEEPEST / np.maximum(steep, 1e-9))
    normals = np.concatenate([-slope, np.ones((len(slope), 1))], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return texels.image(0.5 + 0.5 * normals)


def _stretch(sheet: Sheet, points: Array) -> Array:
    """Of each face (F, 3): metres a unit of u; of v, how far it goes along u and how far across."""
    a, b, c = (points[sheet.faces[:, k]] for k in range(3))
    ua, ub, uc = (sheet.uv[sheet.faces[:, k]] for k in range(3))
    e, f = ub - ua, uc - ua
    area = e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)[:, None]
    p_u = ((b - a) * f[:, 1:] - (c - a) * e[:, 1:]) / area
    p_v = ((c - a) * e[:, :1] - (b - a) * f[:, :1]) / area
    along_u = np.maximum(np.linalg.norm(p_u, axis=1), 1e-3)
    skew = np.einsum("ij,ij->i", p_u, p_v) / along_u
    along_v = np.sqrt(np.maximum((p_v**2).sum(axis=1) - skew**2, 1e-6))
    return np.stack([along_u, skew, along_v], axis=1)
