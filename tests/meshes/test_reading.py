"""Mesh files: what comes out of good ones, and the one line that bad ones end in."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spinetrack_synth.errors import UserError
from spinetrack_synth.meshes import reading
from spinetrack_synth.meshes.reading import MeshFile, read_mesh

trimesh = pytest.importorskip("trimesh", reason="pip install 'spinetrack-synth[meshes]'")

SQUARE = "v 0 0 0\nv 2 0 0\nv 2 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"


def textured(folder: Path, *, kd: str = "0 0 0") -> Path:
    """A square of one quad, its picture red above and blue below."""
    picture = np.zeros((8, 4, 3), np.uint8)
    picture[:4, :, 0], picture[4:, :, 2] = 200, 200
    Image.fromarray(picture).save(folder / "wood.png")
    (folder / "square.mtl").write_text(f"newmtl wood\nKd {kd}\nmap_Kd wood.png\n")
    path = folder / "square.obj"
    path.write_text(f"mtllib square.mtl\n{SQUARE}usemtl wood\nf 1/1 2/2 3/3 4/4\n")
    return path


def saved(mesh: object, path: Path) -> Path:
    mesh.export(path)  # type: ignore[attr-defined]
    return path


def extent(file: MeshFile) -> np.ndarray:
    points = np.concatenate([surface.vertices_world for surface in file.surfaces])
    return np.ptp(points, axis=0)


def outward(file: MeshFile) -> bool:
    """Whether faces wind and normals point away from the middle."""
    (surface,) = file.surfaces
    corners = surface.vertices_world[surface.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = (across * corners.mean(axis=1)).sum(axis=1) > 0
    assert surface.normals_world is not None
    normals = (surface.normals_world * surface.vertices_world).sum(axis=1) > 0
    return bool(away.all() and normals.all())


@pytest.mark.parametrize("kind", ["glb", "obj", "ply", "stl", "off"])
def test_every_format_gives_the_same_box(kind: str, tmp_path: Path) -> None:
    file = read_mesh(saved(trimesh.creation.box((1, 2, 3)), tmp_path / f"box.{kind}"))
    np.testing.assert_allclose(extent(file), [1, 2, 3], atol=1e-6)
    assert sum(len(surface.faces) for surface in file.surfaces) == 12
    assert outward(file)


def test_a_picture_keeps_its_top_at_the_top(tmp_path: Path) -> None:
    (surface,) = read_mesh(textured(tmp_path)).surfaces
    picture = surface.material.base_color
    assert surface.key == "wood" and isinstance(picture, np.ndarray)
    assert picture[0, 0].tolist() == [200, 0, 0], "its colour counts, not the black beside it"
    top = surface.vertices_world[:, 1] > 0
    np.testing.assert_allclose(surface.uv[top, 1], 1)
    np.testing.assert_allclose(surface.uv[~top, 1], 0)


def test_factors_of_gltf_are_linear(tmp_path: Path) -> None:
    box = trimesh.creation.box()
    box.visual = trimesh.visual.TextureVisuals(
        material=trimesh.visual.material.PBRMaterial(
            name="paint", baseColorFactor=[1.0, 0.2140, 0.0, 1.0], roughnessFactor=0.3
        )
    )
    (surface,) = read_mesh(saved(box, tmp_path / "box.glb")).surfaces
    np.testing.assert_allclose(surface.material.base_color, [1, 0.5, 0], atol=5e-3)
    assert surface.material.roughness == pytest.approx(0.3)


def test_colours_of_vertices_become_a_picture_of_few(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(4)
    shades = np.uint8(127 + 120 * ball.vertices)
    ball.visual = trimesh.visual.ColorVisuals(mesh=ball, vertex_colors=shades)
    (surface,) = read_mesh(saved(ball, tmp_path / "ball.ply")).surfaces
    picture = surface.material.base_color
    assert isinstance(picture, np.ndarray) and picture.shape == (128, 128, 3)
    texel = np.stack([(1 - surface.uv[:, 1]) * 128, surface.uv[:, 0] * 128], axis=1).astype(int)
    seen = picture[texel[:, 0], texel[:, 1]].astype(float)
    off = np.abs(seen - (127 + 120 * surface.vertices_world)).max(axis=1)
    assert np.median(off) < 20


def test_what_has_no_colour_gets_the_given_one(tmp_path: Path) -> None:
    path = saved(trimesh.creation.box(), tmp_path / "box.stl")
    (surface,) = read_mesh(path, (0.1, 0.2, 0.3)).surfaces
    assert surface.material.base_color == (0.1, 0.2, 0.3)
    with_uv = tmp_path / "uv.obj"
    with_uv.write_text(f"{SQUARE}f 1/1 2/2 3/3 4/4\n")
    (surface,) = read_mesh(with_uv, (0.1, 0.2, 0.3)).surfaces
    assert surface.material.base_color == (0.1, 0.2, 0.3)


def test_mirrored_and_repeated_meshes_face_outward(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    ball = trimesh.creation.icosphere(2)
    scene.add_geometry(ball, node_name="one", geom_name="ball", transform=np.diag([-1, 2, 1, 1.0]))
    file = read_mesh(saved(scene, tmp_path / "ball.glb"))
    assert outward(file)
    np.testing.assert_allclose(extent(file), [2, 4, 2], atol=0.05)
    away = np.eye(4)
    away[0, 3] = 10
    scene.graph.update(frame_to="two", geometry="ball", matrix=away)
    twice = read_mesh(saved(scene, tmp_path / "balls.glb"))
    assert sum(len(surface.faces) for surface in twice.surfaces) == 2 * len(ball.faces)
    assert extent(twice)[0] == pytest.approx(12, abs=0.1)


def test_edges_are_sharp_and_rounds_smooth(tmp_path: Path) -> None:
    (box,) = read_mesh(saved(trimesh.creation.box(), tmp_path / "box.stl")).surfaces
    assert box.normals_world is not None and len(box.vertices_world) == 24
    np.testing.assert_allclose(np.abs(box.normals_world).max(axis=1), 1, atol=1e-6)
    (ball,) = read_mesh(saved(trimesh.creation.icosphere(3), tmp_path / "ball.stl")).surfaces
    assert ball.normals_world is not None and len(ball.vertices_world) == 642
    np.testing.assert_allclose(ball.normals_world, ball.vertices_world, atol=0.02)


def test_far_from_the_origin_nothing_is_rounded(tmp_path: Path) -> None:
    far = trimesh.creation.box((0.1, 0.1, 0.1))
    far.apply_translation([4e5, 0, 5e6])
    np.testing.assert_allclose(
        extent(read_mesh(saved(far, tmp_path / "far.obj"))), [0.1, 0.1, 0.1], atol=1e-6
    )


def test_the_checksum_is_of_all_that_is_read(tmp_path: Path) -> None:
    path = textured(tmp_path)
    first = read_mesh(path).sha256
    assert read_mesh(path).sha256 == first
    Image.new("RGB", (4, 8), (0, 255, 0)).save(tmp_path / "wood.png")
    second = read_mesh(path).sha256
    textured(tmp_path, kd="1 1 1")
    assert len({first, second, read_mesh(path).sha256}) == 3


def test_names_of_windows_are_found(tmp_path: Path) -> None:
    path = textured(tmp_path)
    (tmp_path / "square.mtl").write_text("newmtl wood\nmap_Kd C:\\art\\wood.png\n")
    assert isinstance(read_mesh(path).surfaces[0].material.base_color, np.ndarray)


# Bad files


def gltf(**parts: object) -> str:
    square = np.float32([[0, 0, 0], [1, 0, 0], [1, 1, 0]])
    data = (
        "data:application/octet-stream;base64,"
        + __import__("base64").b64encode(square.tobytes()).decode()
    )
    whole = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36, "uri": data}],
    }
    return json.dumps(whole | parts)


def test_a_small_gltf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "good.gltf"
    path.write_text(gltf())
    np.testing.assert_allclose(extent(read_mesh(path)), [1, 1, 0])


MOVED = {"index": 0, "extensions": {"KHR_texture_transform": {"scale": [2, 2]}}}
BAD: dict[str, tuple[str | bytes, str]] = {
    "empty.obj": ("", "is empty"),
    "blank.stl": ("  \n", "is empty"),
    "words.glb": ("not a mesh at all", "is no glb mesh"),
    "words.gltf": ("{", "is no gltf mesh"),
    "words.ply": ("hello", "is no ply mesh"),
    "short.glb": (b"glTF" + struct.pack("<II", 2, 20) + b"\x05\0\0\0JSON", "is no glb mesh"),
    "bench.fbx": ("Kaydara", "none of glb, gltf, obj, ply, stl, off"),
    "points.obj": ("v 0 0 0\nv 1 0 0\nv 0 1 0\n", "has no triangles"),
    "nan.obj": ("v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n", "no numbers"),
    "endless.obj": ("v 0 0 0\nv 1e38 0 0\nv 0 1 0\nf 1 2 3\n", "no numbers"),
    "lost.obj": ("mtllib away.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl a\nf 1 2 3\n", "'away.mtl'"),
    "draco.gltf": (gltf(extensionsRequired=["KHR_draco_mesh_compression"]), "needs KHR_draco"),
    "lost.gltf": (gltf(buffers=[{"byteLength": 36, "uri": "away.bin"}]), "'away.bin'"),
    "moved.gltf": (
        gltf(materials=[{"pbrMetallicRoughness": {"baseColorTexture": MOVED}}]),
        "KHR_texture_transform",
    ),
    "many.gltf": (
        gltf(nodes=[{"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {}}}]),
        "EXT_mesh_gpu_instancing",
    ),
    "packed.gltf": (
        gltf(accessors=[{"bufferView": 0, "componentType": 5122, "count": 3, "type": "VEC3",
                         "normalized": True}]),
        "whole numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_end_in_one_line(name: str, tmp_path: Path) -> None:
    content, message = BAD[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as told:
        read_mesh(path)
    assert message in str(told.value) and str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"away\.glb: No such file"):
        read_mesh(tmp_path / "away.glb")


def test_a_picture_that_is_none_is_told(tmp_path: Path) -> None:
    path = textured(tmp_path)
    (tmp_path / "wood.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"wood\.png' cannot be read"):
        read_mesh(path)


def test_a_picture_inside_that_is_none_is_told(tmp_path: Path) -> None:
    scene = trimesh.load_scene(textured(tmp_path))
    path = saved(scene, tmp_path / "square.glb")
    assert isinstance(read_mesh(path).surfaces[0].material.base_color, np.ndarray)
    content = path.read_bytes()
    assert content.count(b"\x89PNG") == 1
    path.write_bytes(content.replace(b"\x89PNG", b"\x89SNG"))
    with pytest.raises(UserError, match=r"square\.glb: .* cannot be read"):
        read_mesh(path)


def test_too_many_triangles_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_FACES", 11)
    path = saved(trimesh.creation.box(), tmp_path / "box.stl")
    with pytest.raises(UserError, match="has 12 triangles, at most 11"):
        read_mesh(path)


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.stl"
    with path.open("wb") as stream:
        stream.truncate(reading.LARGEST_BYTES + (1 << 20))
    with pytest.raises(UserError, match="513 MB, at most 512"):
        read_mesh(path)
