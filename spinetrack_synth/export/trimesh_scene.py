"""Surfaces as trimesh's scenes and meshes: metres, Y up, X forward, Z right, as everywhere here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from spinetrack_synth.rendering.packing import smooth, texels
from spinetrack_synth.shot import Material, Surface

if TYPE_CHECKING:
    import numpy.typing as npt
    import trimesh
    from trimesh.visual.material import SimpleMaterial

_MOST_SHINE: Final = 1000.0
"""Exponent Ns of a mirror, as Blender takes roughness from OBJ: Ns = 1000 (1 - roughness)^2."""


def to_scene(surfaces: Sequence[Surface]) -> trimesh.Scene:
    """A scene of a mesh a surface, named by its key, with normals, uv and its colour or picture."""
    import trimesh
    from trimesh.visual.texture import TextureVisuals

    scene = trimesh.Scene()
    for surface in map(smooth, surfaces):
        name = surface.key.replace("/", "_")
        mesh = trimesh.Trimesh(
            vertices=surface.vertices_world,
            faces=surface.faces,
            vertex_normals=surface.normals_world,
            visual=TextureVisuals(uv=surface.uv, material=_material(name, surface.material)),
            metadata={"name": name},
            process=False,
        )
        scene.add_geometry(mesh, geom_name=name, node_name=name)
    scene.units = "m"
    return scene


def to_colored_mesh(surfaces: Sequence[Surface]) -> trimesh.Trimesh:
    """All surfaces as one mesh with normals, pictures as the colours that vertices have in them."""
    import trimesh

    parts = [smooth(surface) for surface in surfaces]
    first = np.cumsum([0] + [len(part.vertices_world) for part in parts[:-1]])
    return trimesh.Trimesh(
        vertices=np.concatenate([part.vertices_world for part in parts]),
        faces=np.concatenate([part.faces + start for part, start in zip(parts, first)]),
        vertex_normals=np.concatenate([part.normals_world for part in parts]),
        vertex_colors=np.concatenate([_colors_at(part) for part in parts]),
        process=False,
    )


def _material(name: str, material: Material) -> SimpleMaterial:
    """OBJ's own terms; holes are in the alpha of the picture."""
    from trimesh.visual.material import SimpleMaterial

    image, diffuse = None, (1.0, 1.0, 1.0)
    if material.opacity is None and isinstance(material.base_color, tuple):
        diffuse = material.base_color
    else:
        image = Image.fromarray(np.ascontiguousarray(texels(material)[::-1]))
        image = image.convert("RGB") if material.opacity is None else image
    return SimpleMaterial(
        image=image,
        diffuse=[*(round(255 * channel) for channel in diffuse), 255],
        specular=[*(3 * [round(255 * material.specular)]), 255],
        glossiness=_MOST_SHINE * (1 - material.roughness) ** 2,
        name=name,
    )


def _colors_at(surface: Surface) -> npt.NDArray[np.uint8]:
    """The colour and opacity (V, 4) of the texel that each vertex lies on."""
    image = texels(surface.material)
    height, width = image.shape[:2]
    uv = surface.uv - np.floor(surface.uv)
    column = np.minimum((uv[:, 0] * width).astype(int), width - 1)
    row = np.minimum((uv[:, 1] * height).astype(int), height - 1)
    colors: npt.NDArray[np.uint8] = image[row, column]
    return colors
