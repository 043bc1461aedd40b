"""Avatars, places and things in the formats of other programs, read back by trimesh."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.cli import main
from spinetrack_synth.export.shapes import LOST, shape_files
from spinetrack_synth.export.trimesh_scene import to_scene
from spinetrack_synth.meshes.reading import read_mesh
from spinetrack_synth.scenes.mats import unit_surfaces
from spinetrack_synth.scenes.places import PLACES
from spinetrack_synth.shot import Surface

trimesh = pytest.importorskip("trimesh", reason="pip install 'spinetrack-synth[meshes]'")


def bounds(surfaces: tuple[Surface, ...]) -> np.ndarray:
    points = np.concatenate([surface.vertices_world for surface in surfaces])
    return np.stack([points.min(axis=0), points.max(axis=0)])


def faces(surfaces: tuple[Surface, ...]) -> int:
    return sum(len(surface.faces) for surface in surfaces)


def written(folder: Path, name: str, surfaces: tuple[Surface, ...], kind: str) -> Path:
    for file, content in shape_files(name, surfaces, kind).items():
        (folder / file).write_bytes(content)
    return folder / f"{name}.{kind}"


def test_a_scene_of_trimesh_has_names_metres_and_the_same_points() -> None:
    mat = unit_surfaces("mat/3")
    scene = to_scene(mat)
    assert list(scene.geometry) == ["mat_3"] and scene.units == "m"
    np.testing.assert_allclose(scene.bounds, bounds(mat), atol=1e-7)
    visual = scene.geometry["mat_3"].visual
    np.testing.assert_allclose(visual.uv, mat[0].uv, atol=1e-6)
    picture = mat[0].material.base_color
    assert isinstance(picture, np.ndarray)
    np.testing.assert_array_equal(np.asarray(visual.material.image), picture)


@pytest.mark.parametrize("kind", LOST)
def test_formats_are_metres_with_y_up(kind: str, tmp_path: Path) -> None:
    bottle = unit_surfaces("gear/bottle/1")
    path = written(tmp_path, "bottle", bottle, kind)
    mesh = trimesh.load_scene(path, process=False)
    np.testing.assert_allclose(mesh.bounds, bounds(bottle), atol=1e-5)
    assert np.ptp(mesh.bounds, axis=0)[1] == pytest.approx(0.262, abs=1e-3)
    assert b"metres, Y up, X forward, Z right" in path.read_bytes()[:2000]


@pytest.mark.parametrize("kind", LOST)
def test_they_come_back_as_they_went(kind: str, tmp_path: Path) -> None:
    blanket = unit_surfaces("gear/blanket/1")
    file = read_mesh(written(tmp_path, "blanket", blanket, kind))
    assert faces(file.surfaces) == faces(blanket)
    low, high = bounds(file.surfaces)
    np.testing.assert_allclose(high - low, np.ptp(bounds(blanket), axis=0), atol=1e-5)
    if kind == "obj":
        (before,), (after,) = blanket, file.surfaces
        assert after.key == "gear_blanket_1_cloth"
        np.testing.assert_array_equal(after.material.base_color, before.material.base_color)


def test_plain_colours_survive(tmp_path: Path) -> None:
    bottle = unit_surfaces("gear/bottle/1")
    file = read_mesh(written(tmp_path, "bottle", bottle, "obj"))
    back = {part.key: part for part in file.surfaces}
    assert set(back) == {"gear_bottle_1_frame", "gear_bottle_1_metal"}
    for before in bottle:
        after = back[before.key.replace("/", "_")]
        np.testing.assert_allclose(after.material.base_color, before.material.base_color, atol=3e-3)


# Avatars and commands


def run(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["spinetrack-synth", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", LOST)
def test_avatars_stand_as_they_rest(
    kind: str,
    avatar: Avatar,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    arguments = ("avatars", "export", "--seed", 7, "--subject", 1, "--format", kind)
    assert run(*arguments, "--out", tmp_path, monkeypatch=monkeypatch) == 0
    assert f"{kind}: metres, Y up, X forward, Z right; it holds no bones" in capsys.readouterr().out
    name = sample_subject(7, 1).subject_id
    rest = pose_avatar(avatar, avatar.rig.coordinates).surfaces
    scene = trimesh.load_scene(tmp_path / f"avatars/{name}.{kind}", process=False)
    np.testing.assert_allclose(scene.bounds, bounds(rest), atol=1e-5)
    beside = sorted(path.name for path in (tmp_path / "avatars").iterdir())
    if kind == "obj":
        pictures = [s for s in rest if isinstance(s.material.base_color, np.ndarray)]
        assert f"{name}.mtl" in beside and len(beside) == 2 + len(pictures)
    else:
        assert beside == [f"{name}.{kind}"]


@pytest.mark.slow
def test_a_pose_is_taken_on_the_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("avatars", "export", "--seed", 7, "--subject", 1, "--format", "stl")
    assert run(*arguments, "--pose", "balasana", "--out", tmp_path, monkeypatch=monkeypatch) == 0
    (path,) = tmp_path.rglob("*.stl")
    low, high = trimesh.load_scene(path).bounds
    assert abs(low[1]) < 0.02 and high[1] < 0.7, "a child's pose is low"


@pytest.mark.slow
def test_a_scene_takes_its_own_things_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"terrace": replace(PLACES["terrace"], variants=1)}  # the others are made alike
    monkeypatch.setattr("spinetrack_synth.export.files.PLACES", one)
    trimesh.creation.box((0.4, 0.3, 0.2)).export(tmp_path / "box.ply")
    text = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text()
    own = '[[props]]\nname = "crate"\nfile = "box.ply"\nposition_m = [1, 0, 1]\n'
    for line in ("studio = 0.42", "park = 0.30"):
        text = text.replace(line, "")
    (tmp_path / "gym.toml").write_text(text + own)
    out = tmp_path / "out"
    arguments = ("avatars", "export", "--scenes", tmp_path / "gym.toml", "--count", 0)
    assert run(*arguments, "--out", out, monkeypatch=monkeypatch) == 0
    scene = trimesh.load_scene(out / "things/prop_crate.glb")
    np.testing.assert_allclose(scene.bounds, [[-0.2, 0, -0.1], [0.2, 0.3, 0.1]], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "usdz"), "'usdz' is not one of"),
        (("--format", "obj", "--motion", "walk.bvh"), "obj holds no motion"),
        (("--pose", "balasana"), "--pose goes with the other formats"),
        (("--format", "obj", "--pose", "balasan", "--count", 0), "did you mean 'balasana'"),
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
    for name in [name for name in sys.modules if name.partition(".")[0] == "trimesh"]:
        monkeypatch.setitem(sys.modules, name, None)
    arguments = ("avatars", "export", "--out", tmp_path, "--format", "obj", "--count", 1)
    assert run(*arguments, monkeypatch=monkeypatch) == 2
    assert "pip install 'spinetrack-synth[meshes]'" in capsys.readouterr().err
