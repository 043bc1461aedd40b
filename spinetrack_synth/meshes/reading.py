"""Mesh files of any origin as surfaces, in the file's own units and axes; bad ones are told apart.

trimesh decodes; what it would pass over in silence (a picture that is not there, packed
coordinates, placeholders of zeros) is refused here by name.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from spinetrack_synth.errors import UserError
from spinetrack_synth.meshes.materials import Array, Color, Painted, look_of
from spinetrack_synth.meshes.normals import creased_normals
from spinetrack_synth.shot import Material, Surface

if TYPE_CHECKING:
    import trimesh

Float = npt.NDArray[np.float32]

FORMATS: Final = ("glb", "gltf", "obj", "ply", "stl", "off")

MOST_FACES: Final = 500_000
"""Every picture packs all triangles anew; the places have some 100 000."""

LARGEST_BYTES: Final = 512 << 20

GREY: Final[Color] = (0.6, 0.6, 0.6)

_PICTURES: Final = (
    ".jpg",
    ".jpeg",
    ".png",
    ".tga",
    ".bmp",
    ".tif",
    ".tiff",
    ".webp",
    ".gif",
    ".dds",
)

_ENDLESS: Final = 1e30

_FLOAT: Final = 5126
"""glTF's number of float32."""

_DECODED: Final = {
    "EXT_texture_webp", "KHR_lights_punctual", "KHR_materials_pbrSpecularGlossiness",
    "KHR_mesh_quantization",
}  # fmt: skip
"""What glTF files may require; extensions of materials beside them change the shading alone."""


@dataclass(frozen=True)
class MeshFile:
    """A file's triangles, a surface a material, its key the material's name.

    In the file's unit and axes, about the middle of the box around all of them: some lie kilometres
    from their origin, where float32 knows centimetres at best.
    ``sha256`` is of all that was read: the file and what it names (materials, pictures, buffers).
    """

    surfaces: tuple[Surface, ...]
    sha256: str


def read_mesh(path: Path, missing: Color = GREY) -> MeshFile:
    """A mesh file, as FORMATS; faces without a colour get ``missing``, sRGB 0..1.

    Raises UserError, one line with the path, where the file or one that it names is not there, is
    no mesh, has no triangles, too many, or numbers that are none.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise UserError(f"{path}: is none of {', '.join(FORMATS)}, the mesh files that are read")
    content = _content(path)
    side_files = _SideFiles(path)
    scene = _decoded(path, kind, content, side_files)
    if side_files.missing:
        name = side_files.missing[0]
        remedy = ", or take its mtllib line out" if name.lower().endswith(".mtl") else ""
        raise UserError(
            f"{path}: names {name!r}, which is not there; put it beside the file{remedy}"
        )
    meshes = tuple(_placed(scene))
    count = sum(len(mesh.faces) for mesh, _ in meshes)
    if not count:
        raise UserError(f"{path}: has no triangles")
    if count > MOST_FACES:
        raise UserError(
            f"{path}: has {count} triangles, at most {MOST_FACES} are drawn; simplify the mesh"
        )
    try:
        surfaces = _surfaces(meshes, missing, linear=kind in ("glb", "gltf"))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: a picture cannot be read: {_line(error)}") from None
    beside = {n: c for n, c in side_files.read.items() if n.lower().endswith(_PICTURES)}
    _check_pictures(path, beside | (_pictures_inside(content) if kind == "glb" else {}))
    digest = hashlib.sha256(content)
    for name in sorted(side_files.read):
        digest.update(name.encode() + b"\0" + side_files.read[name])
    return MeshFile(surfaces, digest.hexdigest())


def _content(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > LARGEST_BYTES:
            raise UserError(
                f"{path}: has {size >> 20} MB, at most {LARGEST_BYTES >> 20} are read; "
                "simplify the mesh"
            )
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; give a mesh file") from None
    if not content.strip():
        raise UserError(f"{path}: is empty; give a mesh file")
    return content


class _SideFiles(Mapping[str, bytes]):
    """The files that a mesh file names, as trimesh asks for them; remembers what it was given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read: dict[str, bytes] = {}
        self.missing: list[str] = []

    def __getitem__(self, name: str) -> bytes:
        """A file by its name, from the folder of the mesh; by its last part where that fails."""
        plain = name.strip().replace("\\", "/")
        for candidate in (plain, plain.rpartition("/")[2]):
            found = self.path.parent / candidate
            if candidate and found.is_file():
                self.read[name] = found.read_bytes()
                return self.read[name]
        self.missing.append(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.read)

    def __len__(self) -> int:
        return len(self.read)


def _decoded(path: Path, kind: str, content: bytes, side_files: _SideFiles) -> trimesh.Scene:
    """What trimesh makes of the content."""
    import trimesh

    logging.getLogger("trimesh").setLevel(logging.CRITICAL)  # its warnings are told as errors here
    try:
        if kind in ("glb", "gltf"):
            _check_header(_header(kind, content))
        scene = trimesh.load_scene(
            io.BytesIO(content), file_type=kind, resolver=side_files, process=False
        )
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except MemoryError:
        raise UserError(f"{path}: does not fit into memory; simplify the mesh") from None
    except Exception as error:  # whatever a decoder makes of bytes that are no mesh
        if side_files.missing:
            return trimesh.Scene()
        raise UserError(f"{path}: is no {kind} mesh: {_line(error)}") from None
    return scene


def _check_pictures(path: Path, pictures: Mapping[str, bytes]) -> None:
    """Raises UserError for one that is none: trimesh goes on without it."""
    for name, content in pictures.items():
        try:
            Image.open(io.BytesIO(content)).verify()
        except Exception as error:  # Pillow's decoders raise of every kind
            raise UserError(f"{path}: {name!r} cannot be read: {_line(error)}") from None


def _pictures_inside(content: bytes) -> dict[str, bytes]:
    """The pictures of a binary glTF, by their names or numbers."""
    header = _header("glb", content)
    (length,) = struct.unpack_from("<I", content, 12)
    found = {}
    for number, image in enumerate(header.get("images", ())):
        if "bufferView" in image:
            view = header["bufferViews"][image["bufferView"]]
            start = 20 + length + 8 + view.get("byteOffset", 0)
            name = image.get("name") or f"picture {number}"
            found[name] = content[start : start + view["byteLength"]]
    return found


def _header(kind: str, content: bytes) -> dict[str, Any]:
    """glTF's JSON."""
    if kind == "glb":
        if content[:4] != b"glTF" or len(content) < 20:
            raise ValueError("it does not begin as binary glTF does")
        (length,) = struct.unpack_from("<I", content, 12)
        content = content[20 : 20 + length]
    header = json.loads(content.decode("utf-8"))
    if not isinstance(header, dict):
        raise ValueError("its JSON is no object")
    return header


def _check_header(header: dict[str, Any]) -> None:
    """Raises UserError for what trimesh would read wrongly without a word."""
    for name in header.get("extensionsRequired", ()):
        if name not in _DECODED and not name.startswith("KHR_materials_"):
            raise UserError(f"needs {name}, which is not read; save it without")
    accessors = header.get("accessors", [])
    for mesh in header.get("meshes", ()):
        for primitive in mesh["primitives"]:
            attributes = primitive["attributes"]
            packed = accessors[attributes["POSITION"]].get("normalized", False)
            if "TEXCOORD_0" in attributes:
                packed |= accessors[attributes["TEXCOORD_0"]]["componentType"] != _FLOAT
            if packed:
                raise UserError("has coordinates packed into whole numbers; save it without")
    if any(
        "EXT_mesh_gpu_instancing" in node.get("extensions", {}) for node in header.get("nodes", ())
    ):
        raise UserError("repeats meshes by EXT_mesh_gpu_instancing; save it without")
    for material in header.get("materials", ()):
        texture = material.get("pbrMetallicRoughness", {}).get("baseColorTexture", {})
        if "KHR_texture_transform" in texture.get("extensions", {}):
            raise UserError("moves its pictures by KHR_texture_transform; save it without")
        if texture.get("texCoord", 0):
            raise UserError("lays its colours by a second set of uv; save it with one")


def _placed(scene: trimesh.Scene) -> Iterator[tuple[trimesh.Trimesh, Array]]:
    """Every mesh of a scene with its frame (4, 4), as often as it stands there."""
    for node in scene.graph.nodes_geometry:
        frame, name = scene.graph[node]
        mesh = scene.geometry[name]
        if len(getattr(mesh, "faces", ())):
            yield mesh, np.asarray(frame, dtype=float)


def _surfaces(
    meshes: tuple[tuple[trimesh.Trimesh, Array], ...], missing: Color, linear: bool
) -> tuple[Surface, ...]:
    """One surface a material: few large ones are drawn faster than many small ones."""
    groups: dict[object, list[_Corners]] = {}
    looks: dict[int, tuple[Material, Array]] = {}
    painted: Painted = {}
    for mesh, frame in meshes:
        if id(mesh) not in looks:
            looks[id(mesh)] = look_of(mesh, missing, linear, painted)
        material, uv = looks[id(mesh)]
        name = getattr(getattr(mesh.visual, "material", None), "name", None) or "plain"
        plain = isinstance(material.base_color, tuple) and material.opacity is None
        same: object = (name, material) if plain else (name, id(material))
        groups.setdefault(same, []).append(_Corners.of(str(name), mesh, frame, material, uv))
    every = [part for parts in groups.values() for part in parts]
    low = np.min([part.points.min(axis=(0, 1)) for part in every], axis=0)
    high = np.max([part.points.max(axis=(0, 1)) for part in every], axis=0)
    taken: dict[str, int] = {}
    return tuple(_joined(parts, (low + high) / 2, taken) for parts in groups.values())


@dataclass(frozen=True, eq=False)
class _Corners:
    """A mesh taken apart: points, normals (F, 3, 3) and uv (F, 3, 2) at the corners of faces."""

    name: str
    material: Material
    points: Array
    normals: Array
    uv: Array

    @classmethod
    def of(
        cls, name: str, mesh: trimesh.Trimesh, frame: Array, material: Material, uv: Array
    ) -> _Corners:
        faces, vertices = np.asarray(mesh.faces), np.asarray(mesh.vertices, dtype=float)
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise UserError(f"a triangle names vertex {faces.max()}, there are {len(vertices)}")
        given = np.asarray(mesh.vertex_normals) if "vertex_normals" in mesh._cache else None
        points = vertices @ frame[:3, :3].T + frame[:3, 3]
        if not (np.abs(points[faces]) < _ENDLESS).all():
            raise UserError("has coordinates that are no numbers")
        if np.linalg.det(frame[:3, :3]) < 0:  # mirrored: seen from outside the other way around
            faces, uv = faces[:, ::-1], uv[:, ::-1]
        if given is not None and np.isfinite(given).all() and given.any(axis=1).all():
            normals = given @ np.linalg.pinv(frame[:3, :3])
            normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
            at_corners = normals[faces]
        else:
            at_corners = creased_normals(points, faces)
        return cls(name, material, points[faces], at_corners, uv)


def _joined(parts: list[_Corners], middle: Array, taken: dict[str, int]) -> Surface:
    """One surface of meshes of one material; corners that are alike in all become one vertex."""
    points = np.concatenate([part.points for part in parts]).reshape(-1, 3) - middle
    normals = np.concatenate([part.normals for part in parts]).reshape(-1, 3)
    uv = np.concatenate([part.uv for part in parts]).reshape(-1, 2)
    corners = np.concatenate([points, normals, uv], axis=1).astype(np.float32)
    vertices, index = _distinct(corners)
    stem = re.sub(r"[^A-Za-z0-9_]+", "_", parts[0].name).strip("_") or "plain"
    taken[stem] = taken.get(stem, 0) + 1
    return Surface(
        key=stem if taken[stem] == 1 else f"{stem}_{taken[stem]}",
        vertices_world=vertices[:, :3].copy(),
        faces=index.reshape(-1, 3).astype(np.int32),
        uv=vertices[:, 6:].copy(),
        material=parts[0].material,
        normals_world=vertices[:, 3:6].copy(),
    )


def _distinct(
    rows: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Distinct rows, and which of them each row is."""
    whole = np.ascontiguousarray(rows + 0.0)  # -0 is 0
    words = whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
    _, first, index = np.unique(words, return_index=True, return_inverse=True)
    return whole[first], index.ravel()


def _line(error: Exception) -> str:
    """The first line of what an error says, short."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
