"""A shot as flat arrays: one triangle soup with one table of surfaces, nothing of a renderer yet.

Everything of a shot becomes one mesh. So the renderer's program stays the same whoever is in the
picture, and nothing is compiled or loaded again from one shot to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.compiled import njit
from spinetrack_synth.shot import AreaLight, Material, Shot, Surface

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Packed:
    """All triangles of a shot: V vertices, F faces, S surfaces.

    ``vertices`` (V, 3) m and ``normals`` (V, 3) in the world, ``uv`` (V, 2), ``faces`` (F, 3),
    ``face_surface`` (F,) index of each face's surface. By surface: ``keys``, ``materials``,
    ``emission`` (S, 3) linear RGB. The surfaces are those of ``owners``, in its order.
    """

    vertices: Float
    normals: Float
    uv: Float
    faces: NDArray[np.uint32]
    face_surface: NDArray[np.uint32]
    keys: tuple[str, ...]
    materials: tuple[Material, ...]
    emission: Float


SOLID: Final = 0.5
"""Opacity from which a masked surface counts in ids and depth."""

MOST_LAYERS: Final = 32
"""Masked surfaces a ray may pass; the next one counts as solid."""

LAMP: Final = Material(base_color=(0.0, 0.0, 0.0), roughness=1.0, specular=0.0)
"""An area light reflects nothing."""


def pack(shot: Shot) -> Packed:
    """Join all surfaces and area lights of a shot."""
    surfaces = list(shot.surroundings)
    for posed in shot.people:
        surfaces += posed.surfaces
    emission = [(0.0, 0.0, 0.0)] * len(surfaces)
    for lamp in area_lights(shot):
        surfaces.append(_lamp_surface(lamp))
        emission.append(lamp.radiance)
    parts = [smooth(surface) for surface in surfaces]
    counts = np.array([len(part.vertices_world) for part in parts])
    first_vertex = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return Packed(
        vertices=np.concatenate([part.vertices_world for part in parts]).astype(np.float32),
        normals=np.concatenate([part.normals_world for part in parts]).astype(np.float32),
        uv=np.concatenate([part.uv for part in parts]).astype(np.float32),
        faces=np.concatenate(
            [part.faces + start for part, start in zip(parts, first_vertex)]
        ).astype(np.uint32),
        face_surface=np.repeat(np.arange(len(parts)), [len(part.faces) for part in parts]).astype(
            np.uint32
        ),
        keys=tuple(surface.key for surface in surfaces),
        materials=tuple(surface.material for surface in surfaces),
        emission=np.array(emission, dtype=np.float32).reshape(-1, 3),
    )


def owners(shot: Shot) -> NDArray[np.uint8]:
    """Whose each surface of a shot is: 0 for the surroundings, k for the k-th person.

    The surfaces are the surroundings, then each person's, then one for each area light.
    """
    owner = [0] * len(shot.surroundings)
    for number, person in enumerate(shot.people, start=1):
        owner += [number] * len(person.surfaces)
    return np.array(owner + [0] * len(area_lights(shot)), dtype=np.uint8)


def area_lights(shot: Shot) -> list[AreaLight]:
    """The area lights among a shot's lights."""
    return [light for light in shot.lights if isinstance(light, AreaLight)]


def smooth(surface: Surface) -> Surface:
    """The surface with vertex normals; a flat-shaded one is taken apart into single triangles."""
    if surface.normals_world is not None:
        return surface
    corners = surface.vertices_world[surface.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Surface(
        key=surface.key,
        vertices_world=corners.reshape(-1, 3),
        faces=np.arange(3 * len(corners), dtype=np.int32).reshape(-1, 3),
        uv=surface.uv[surface.faces].reshape(-1, 2),
        material=surface.material,
        normals_world=np.repeat(normals, 3, axis=0),
    )


def texels(material: Material) -> NDArray[np.uint8]:
    """Colour and opacity of a material as one image (H, W, 4) uint8, row 0 at v = 0.

    Colour stays sRGB. Where the two images differ in size, both take the larger sides.
    """
    color = np.asarray(material.base_color)
    if color.ndim == 1:
        color = np.rint(np.clip(color, 0, 1) * 255).astype(np.uint8)[None, None, :]
    opacity = material.opacity
    sizes = [image.shape[:2] for image in (color, opacity) if image is not None]
    height, width = (max(sides) for sides in zip(*sizes, strict=True))
    image = np.empty((height, width, 4), dtype=np.uint8)
    if opacity is None and color.flags.c_contiguous:
        _fill_opaque(image, color)
        return image
    image[..., :3] = _resized(color, height, width)[::-1]
    image[..., 3] = 255 if opacity is None else _resized(opacity, height, width)[::-1]
    return image


@njit()
def _fill_opaque(
    image: NDArray[np.uint8], color: NDArray[np.uint8]
) -> None:  # pragma: no cover - compiled
    """Colours (H, W, 3) upside down into an opaque image (H, W, 4); clothes are new in every shot,
    and NumPy takes ten times as long."""
    height = len(color)
    for row in range(height):
        for column in range(color.shape[1]):
            for channel in range(3):
                image[row, column, channel] = color[height - 1 - row, column, channel]
            image[row, column, 3] = 255


def _resized(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Nearest neighbour; a view where nothing changes or a single texel is spread."""
    if image.shape[:2] == (height, width):
        return image
    if image.shape[:2] == (1, 1):
        return np.broadcast_to(image, (height, width, *image.shape[2:]))
    rows = np.arange(height) * image.shape[0] // height
    columns = np.arange(width) * image.shape[1] // width
    texels: NDArray[np.uint8] = image[rows[:, None], columns]
    return texels


def _lamp_surface(lamp: AreaLight) -> Surface:
    center, u, v = (
        np.array(side, dtype=np.float32)
        for side in (lamp.center_world, lamp.half_u_world, lamp.half_v_world)
    )
    return Surface(
        key="lamp",
        vertices_world=np.stack([center - u - v, center + u - v, center + u + v, center - u + v]),
        faces=np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32),
        uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32),
        material=LAMP,
    )
