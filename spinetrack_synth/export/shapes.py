"""Shapes as they stand, in the formats that all programs read: OBJ, PLY, STL and OFF.

Numbers are metres, Y up, X forward, Z right; each file says so where its format has a place for
words. What a format cannot hold is in ``LOST``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from spinetrack_synth.export.trimesh_scene import to_colored_mesh, to_scene
from spinetrack_synth.shot import Surface
from spinetrack_synth.version import __version__

AXES: Final = "metres, Y up, X forward, Z right"

LOST: Final = {
    "obj": "bones, keypoints, motion, roughness, wrinkles",
    "ply": "bones, keypoints, motion, materials and pictures (vertices have their colours), names",
    "stl": "bones, keypoints, motion, colours, shared vertices, names of parts",
    "off": "bones, keypoints, motion, colours, normals, names of parts",
}
"""What files of a format do without, of what ``glb`` has."""

_WORDS: Final = f"{AXES}; spinetrack-synth {__version__}"


def shape_files(name: str, surfaces: Sequence[Surface], kind: str) -> dict[str, bytes]:
    """The files of surfaces in a format of ``LOST``, by their names: ``name.kind``, and for OBJ its
    materials and pictures beside it."""
    from trimesh.exchange import obj, off, ply, stl

    if kind == "obj":
        scene = to_scene(surfaces)
        text, beside = obj.export_obj(
            scene, include_normals=True, return_texture=True, mtl_name=f"{name}.mtl", header=_WORDS
        )
        return {f"{name}.obj": text.encode(), **beside}
    mesh = to_colored_mesh(surfaces)
    words = _WORDS.encode()
    if kind == "ply":
        first, _, rest = ply.export_ply(mesh, vertex_normal=True).partition(b"\nelement")
        header = b"\n".join(line for line in first.split(b"\n") if not line.startswith(b"comment"))
        content = header + b"\ncomment " + words + b"\nelement" + rest
    elif kind == "stl":
        content = words[:80].ljust(80) + stl.export_stl(mesh)[80:]
    else:
        magic, _, rest = off.export_off(mesh).partition("\n")
        content = f"{magic}\n# {_WORDS}\n{rest}".encode()
    return {f"{name}.{kind}": content}


def asset_name(key: str) -> str:
    """What the file of a key is called, and what is in it: ``gear/block/1``, gear_block_1."""
    return key.replace("/", "_")
