"""A shot as files that Blender reads: what ``cycles_draw.py`` puts up and Cycles draws.

Blender's world has Z up: its (x, y, z) is our (x, -z, y). Its camera looks along its -Z with Y up,
its lamps shine along theirs. One JSON file a shot; meshes as NPZ and pictures as PNG without
compression beside it, each under the hash of its content, so that shots share them.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.camera import Camera
from spinetrack_synth.rendering.lights import SUN_RADIUS_RAD, distant_light
from spinetrack_synth.rendering.packing import MOST_LAYERS, area_lights, smooth, texels
from spinetrack_synth.shot import AreaLight, Material, Shot, Surface

Array = NDArray[np.float64]

TO_BLENDER: Final = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""From our world's axes to Blender's."""

PIXEL_FILTER: Final = "BOX"
"""A pixel is the mean of its square, as ours; Blender's own filter blurs a little more, and a
blurred picture is nearer to its reference after fewer samples."""

REFERENCE_SPP: Final = 1024
"""Samples a pixel of references, all of which are drawn: Cycles stops earlier where fewer do."""

SHADE_M: Final = 0.001
"""How far behind a lamp its opaque back lies."""


def write_shot(shot: Shot, folder: Path, depth: int, gain: float) -> Path:
    """The shot's file. ``depth`` is how many surfaces a path lights; all light is multiplied by
    ``gain``. The camera is taken for a pinhole with square pixels."""
    distant = distant_light(shot.lights)
    lamps = area_lights(shot)
    place = [*shot.surroundings, *(_back(lamp) for lamp in lamps)]
    told = {
        "size": [shot.camera.width, shot.camera.height],
        "bounces": depth - 1,
        "layers": MOST_LAYERS,
        "filter": PIXEL_FILTER,
        "reference": REFERENCE_SPP,
        "camera": _camera(shot.camera),
        "around": _write(folder, "npy", _npy(blender_map(distant.radiance) * gain)),
        "sun": None,
        "lamps": [_lamp(lamp, gain) for lamp in lamps],
        "place": [_surface(surface, folder) for surface in place],
        "people": [[_surface(s, folder) for s in person.surfaces] for person in shot.people],
    }
    if distant.sun_irradiance.any():
        told["sun"] = {
            "to_world": _shining(-TO_BLENDER @ distant.sun_direction, np.zeros(3)),
            "angle_rad": 2 * SUN_RADIUS_RAD,
            "irradiance": (distant.sun_irradiance * gain).tolist(),
        }
    return folder / _write(folder, "json", json.dumps(told).encode())


def blender_map(radiance: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map of ``rendering.lights`` as Blender lays one out, (H, 2 H, 3), the zenith first.

    Blender's rows are the middles of equal angles, ours go from pole to pole; its columns begin a
    quarter of a turn later.
    """
    height = len(radiance)
    row = np.clip((np.arange(height) + 0.5) / height * (height - 1), 0, height - 1)
    above = np.minimum(row.astype(int), height - 2)
    part = (row - above)[:, None, None]
    rows = radiance[above] * (1 - part) + radiance[above + 1] * part
    laid: NDArray[np.float32] = np.roll(rows, height // 2, axis=1).astype(np.float32)
    return laid


def _camera(camera: Camera) -> dict[str, Any]:
    """In Blender's units: sensor one wide, shifts as parts of its width."""
    cam2world = np.eye(4)
    cam2world[:3, :3] = TO_BLENDER @ camera.world2cam[:3, :3].T @ np.diag([1.0, -1, -1])
    cam2world[:3, 3] = TO_BLENDER @ camera.position_world
    width, height = camera.width, camera.height
    return {
        "lens": camera.K[0, 0] / width,
        "shift": [0.5 - camera.K[0, 2] / width, (camera.K[1, 2] - height / 2) / width],
        "to_world": cam2world.tolist(),
    }


def _lamp(lamp: AreaLight, gain: float) -> dict[str, Any]:
    u, v = TO_BLENDER @ lamp.half_u_world, TO_BLENDER @ lamp.half_v_world
    to_world = np.eye(4)
    across, up = (side / np.linalg.norm(side) for side in (u, -v))
    to_world[:3] = np.stack(
        [across, up, np.cross(across, up), TO_BLENDER @ lamp.center_world], axis=1
    )
    return {
        "size": [2 * float(np.linalg.norm(side)) for side in (u, v)],
        "radiance": [value * gain for value in lamp.radiance],
        "to_world": to_world.tolist(),
    }


def _back(lamp: AreaLight) -> Surface:
    """What is behind a lamp: ours stop light, Blender's let it through."""
    center, u, v = (
        np.array(side) for side in (lamp.center_world, lamp.half_u_world, lamp.half_v_world)
    )
    normal = np.cross(u, v)
    center = center - SHADE_M * normal / np.linalg.norm(normal)
    corners = np.stack([center - u - v, center + u - v, center + u + v, center - u + v])
    return Surface(
        key="lamp's back",
        vertices_world=corners.astype(np.float32),
        faces=np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32),
        uv=np.zeros((4, 2), np.float32),
        material=Material(base_color=(0.0, 0.0, 0.0), roughness=1.0, specular=0.0),
    )


def _shining(direction: Array, center: Array) -> list[list[float]]:
    """The frame of a light that shines this way."""
    back = -direction / np.linalg.norm(direction)
    side = np.cross([0.0, 1.0, 0.0] if abs(back[1]) < 0.9 else [1.0, 0.0, 0.0], back)
    side /= np.linalg.norm(side)
    to_world = np.eye(4)
    to_world[:3] = np.stack([side, np.cross(back, side), back, center], axis=1)
    frame: list[list[float]] = to_world.tolist()
    return frame


def _surface(surface: Surface, folder: Path) -> dict[str, Any]:
    surface = smooth(surface)
    assert surface.normals_world is not None
    content = io.BytesIO()
    np.savez(
        content,
        vertices=(surface.vertices_world @ TO_BLENDER.T).astype(np.float32),
        normals=(surface.normals_world @ TO_BLENDER.T).astype(np.float32),
        faces=surface.faces.astype(np.int32),
        uv=surface.uv.astype(np.float32),
    )
    material = surface.material
    relief = material.normals
    return {
        "mesh": _write(folder, "npz", content.getvalue()),
        "color": _color(material, folder),
        "masked": material.opacity is not None,
        "relief": None if relief is None else _write(folder, "png", _png(relief)),
        "roughness": material.roughness,
        "specular": material.specular,
    }


def _color(material: Material, folder: Path) -> str | list[float]:
    """The name of a picture, or linear RGB."""
    if material.opacity is not None:
        return _write(folder, "png", _png(texels(material)[::-1]))
    if isinstance(material.base_color, tuple):
        srgb = np.array(material.base_color)
        return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).tolist()
    return _write(folder, "png", _png(material.base_color))


def _png(image: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(content, "PNG", compress_level=0)
    return content.getvalue()


def _npy(array: NDArray[np.float32]) -> bytes:
    content = io.BytesIO()
    np.save(content, array.astype(np.float32))
    return content.getvalue()


def _write(folder: Path, kind: str, content: bytes) -> str:
    """A file under the hash of its content; its name."""
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
    if not (folder / name).exists():
        (folder / name).write_bytes(content)
    return name
