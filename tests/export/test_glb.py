"""Materials, pictures, places and things in exported files; the commands that write them."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from export.reading import File

from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.cli import main
from spinetrack_synth.cli.avatars import CAST
from spinetrack_synth.dataset.config import EXPORTED
from spinetrack_synth.export.glb import to_glb
from spinetrack_synth.export.scenes import place_glb, thing_glb
from spinetrack_synth.export.shapes import asset_name
from spinetrack_synth.scenes.places import place
from spinetrack_synth.scenes.things import ASSETS, unit_surfaces
from spinetrack_synth.shot import Material, Surface

pytestmark = pytest.mark.slow


def square(material: Material, normals: bool = True) -> Surface:
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    return Surface(
        key="thing/square",
        vertices_world=corners,
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        uv=corners[:, :2].copy(),
        material=material,
        normals_world=np.tile(np.float32([0, 0, 1]), (4, 1)) if normals else None,
    )


def written(material: Material, **settings: bool) -> tuple[File, dict]:
    file = File.of(to_glb("square", [square(material, **settings)]))
    (found,) = file.json["materials"]
    return file, found


def test_a_plain_colour_is_linear() -> None:
    _, found = written(Material((1.0, 0.5, 0.0), roughness=0.3, specular=0.25))
    look = found["pbrMetallicRoughness"]
    np.testing.assert_allclose(look["baseColorFactor"], [1, 0.2140, 0, 1], atol=1e-4)
    assert look["roughnessFactor"] == 0.3 and look["metallicFactor"] == 0
    assert found["alphaMode"] == "OPAQUE" and found["doubleSided"]
    assert found["extensions"]["KHR_materials_specular"]["specularFactor"] == 0.5
    assert found["name"] == "thing_square"


def test_a_picture_keeps_its_top_at_the_top() -> None:
    picture = np.zeros((64, 32, 3), np.uint8)
    picture[:32] = [200, 30, 30]  # v above one half
    file, found = written(Material(picture))
    image = file.image(0)
    assert image.shape == (64, 32, 3)
    v = file.accessor(file.primitives[0]["attributes"]["TEXCOORD_0"])[:, 1]
    top = file.accessor(file.primitives[0]["attributes"]["POSITION"])[:, 1] == 1
    rows = np.clip(v * 64, 0.5, 63.5).astype(int)  # glTF: v = 0 is the first row
    assert (image[rows[top], 16, 0] > 150).all() and (image[rows[~top], 16, 0] < 50).all()
    assert "baseColorFactor" not in found["pbrMetallicRoughness"] or found["pbrMetallicRoughness"][
        "baseColorFactor"
    ] == [1, 1, 1, 1]


def test_wrinkles_are_a_map_of_normals() -> None:
    normals = np.full((32, 32, 3), [140, 110, 250], np.uint8)
    file, found = written(Material((0.2, 0.3, 0.4), normals=normals))
    image = file.image(found["normalTexture"]["index"])
    assert np.abs(image.astype(int) - normals).max() <= 3
    assert "normalTexture" not in written(Material((0.2, 0.3, 0.4)))[1]


def test_holes_are_masked() -> None:
    opacity = np.zeros((16, 16), np.uint8)
    opacity[:8] = 255
    file, found = written(Material((0.2, 0.6, 0.2), opacity=opacity))
    assert (found["alphaMode"], found["alphaCutoff"]) == ("MASK", 0.5)
    assert file.json["images"][0]["mimeType"] == "image/png"
    image = file.image(0)
    assert (
        image.shape == (16, 16, 4) and (image[:8, :, 3] == 255).all() and not image[8:, :, 3].any()
    )
    np.testing.assert_allclose(image[0, 0, :3], [51, 153, 51], atol=1)


def test_sides_of_pictures_are_powers_of_two() -> None:
    file, _ = written(Material(np.full((300, 90, 3), 77, np.uint8)))
    assert file.image(0).shape == (256, 64, 3)


def test_flat_shading_takes_the_triangles_apart() -> None:
    file, _ = written(Material((0.5, 0.5, 0.5)), normals=False)
    normals = file.accessor(file.primitives[0]["attributes"]["NORMAL"])
    np.testing.assert_allclose(normals, np.tile([0, 0, 1], (6, 1)))


@pytest.mark.parametrize(
    "asset", ["mat/3", "gear/rolled_mat/1", "gear/blanket/2", "support/sofa/1", "held/barbell/0"]
)
def test_things_are_around_the_origin_under_their_names(asset: str) -> None:
    trimesh = pytest.importorskip("trimesh", reason="pip install trimesh")
    content = thing_glb(asset)
    scene = trimesh.load(io.BytesIO(content), file_type="glb")
    points = np.concatenate([surface.vertices_world for surface in unit_surfaces(asset)])
    np.testing.assert_allclose(scene.bounds, [points.min(0), points.max(0)], atol=1e-6)
    file = File.of(content)
    assert file.json["meshes"][0]["name"] == asset_name(asset)
    assert file.json["scenes"][0]["extras"]["spinetrack_synth"] == {"thing": asset}


def test_names_of_assets_are_distinct_and_fit_any_file_system() -> None:
    names = [asset_name(asset) for asset in ASSETS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "windows"), [("studio", True), ("park", False)])
def test_places_are_where_they_are(name: str, windows: bool) -> None:
    trimesh = pytest.importorskip("trimesh", reason="pip install trimesh")
    here = place(name, 1)
    content = place_glb(here)
    scene = trimesh.load(io.BytesIO(content), file_type="glb")
    points = np.concatenate([surface.vertices_world for surface in here.surfaces])
    np.testing.assert_allclose(scene.bounds, [points.min(0), points.max(0)], atol=1e-3)
    file = File.of(content)
    about = file.json["scenes"][0]["extras"]["spinetrack_synth"]
    assert (about["place"], about["variant"]) == (name, 1)
    assert ("windows" in about) == windows
    masked = [m["alphaMode"] == "MASK" for m in file.json["materials"]]
    assert masked == [surface.material.opacity is not None for surface in here.surfaces]


# Commands


def run(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["spinetrack-synth", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_command_knows_the_size_of_a_cast() -> None:
    assert EXPORTED == CAST


def test_files_are_named_as_the_driver_asks_for_them(
    avatar: Avatar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    arguments = ("avatars", "export", "--seed", 7, "--subject", 1, "--out", out)
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    (path,) = out.rglob("*.*")
    assert path == out / f"avatars/{sample_subject(7, 1).subject_id}.glb"
    first = path.read_bytes()
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    assert path.read_bytes() == first


def test_people_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    assert run("avatars", "list", "--seed", 7, "--count", 2, monkeypatch=monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["0", "s7-000"], ["1", "s7-001"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--subject", 1, "--count", 2), "not both"),
        (("--subject", -1), "--subject"),
        (("--scenes", "yogaa", "--count", 0), "did you mean 'yoga'"),
        (("--motion", "absent.bvh", "--count", 0), "absent.bvh"),
    ],
)
def test_mistakes_end_in_one_line(
    arguments: tuple[object, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    code = run("avatars", "export", "--out", tmp_path, *arguments, monkeypatch=monkeypatch)
    err = capsys.readouterr().err
    assert code == 2 and message in err and err.count("\n") == 1


def test_the_missing_library_names_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    for name in [name for name in sys.modules if name.startswith("spinetrack_synth.export")]:
        monkeypatch.delitem(sys.modules, name)
    assert run("avatars", "export", "--out", tmp_path, monkeypatch=monkeypatch) == 2
    assert "pip install 'spinetrack-synth[unreal]'" in capsys.readouterr().err
