"""The comparison with Blender Cycles: what is written for Blender, by Blender's own formulas, and
what is told where Blender is not. Blender itself is run by the benchmark alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from plain_shapes import ball, make_shot, person, rectangle, triangles

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import cycles_scene
import render
import render_cycles

from spinetrack_synth.camera import Camera, look_at
from spinetrack_synth.rendering.lights import directions
from spinetrack_synth.shot import Ambient, AreaLight, Environment, Material

RNG = np.random.default_rng(17)
COLORS = RNG.integers(0, 256, (3, 4, 3), np.uint8)
LAMP = AreaLight((1.0, 2.0, 0.5), (0.3, 0.0, 0.4), (0.0, -0.2, 0.0), (3.0, 2.0, 1.0))


def ours(points_blender: np.ndarray) -> np.ndarray:
    """Points of Blender's world, Z up, in ours, Y up."""
    x, y, z = np.moveaxis(np.asarray(points_blender), -1, 0)
    return np.stack([x, z, -y], axis=-1)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory):
    """A shot, its file and what the file says."""
    folder = tmp_path_factory.mktemp("cycles")
    textured = rectangle("floor", (0, 0, 0), (2, 0, 0), (0, 0, -2), Material(COLORS))
    masked = Material((0.2, 0.4, 0.6), opacity=np.array([[0, 255]], np.uint8))
    worn = ball("head", (0, 1, 0), 0.2, Material((0.5, 1.0, 0.0), normals=COLORS), rings=4)
    flat = triangles("flat", [[(0, 0, 0), (1, 0, 0), (0, 1, 0)]], masked)
    camera = look_at((3, 1.5, 1), (0, 0.8, 0), focal_px=70, width=64, height=48, roll_rad=0.2)
    K = camera.K + np.array([[0, 0, 5], [0, 0, -3], [0, 0, 0]])
    camera = Camera(K, camera.world2cam, 64, 48)
    lights = (LAMP, Ambient((0.1, 0.2, 0.3)))
    shot = make_shot([person(worn)], [textured, flat], lights, camera)
    file = cycles_scene.write_shot(shot, folder, depth=4, gain=2.0)
    return shot, file, json.loads(file.read_text())


def test_blenders_camera_sees_points_where_ours_does(written) -> None:
    shot, _, told = written
    points = RNG.uniform(-0.6, 0.9, (40, 3)) + np.array([0, 0.8, 0])
    blender = np.stack([points[:, 0], -points[:, 2], points[:, 1], np.ones(40)], axis=1)
    x, y, z, _ = np.linalg.inv(told["camera"]["to_world"]) @ blender.T
    (width, height), lens = told["size"], told["camera"]["lens"]
    # A sensor one wide, behind a lens that is shifted by parts of it; Y up, looking along -Z.
    right = lens * x / -z + 0.5 - told["camera"]["shift"][0]
    down = 0.5 * height / width - lens * y / -z + told["camera"]["shift"][1]
    landed = np.stack([right, down], axis=1) * width
    np.testing.assert_allclose(landed, shot.camera.project(points), atol=1e-9)
    assert np.linalg.det(np.array(told["camera"]["to_world"])[:3, :3]) == pytest.approx(1)


def test_meshes_and_materials_arrive(written) -> None:
    shot, file, told = written
    floor, flat, _ = told["place"]
    for surface, there in zip((*shot.surroundings, shot.people[0].surfaces[0]),
                              (floor, flat, told["people"][0][0])):  # fmt: skip
        mesh = np.load(file.parent / there["mesh"])
        corners = ours(mesh["vertices"])[mesh["faces"]]
        np.testing.assert_allclose(corners, surface.vertices_world[surface.faces], atol=1e-6)
        np.testing.assert_array_equal(mesh["uv"][mesh["faces"]], surface.uv[surface.faces])
        outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        seen = np.linalg.norm(outward, axis=1) > 1e-6
        leaning = (ours(mesh["normals"])[mesh["faces"]].mean(axis=1) * outward).sum(axis=1)
        assert (leaning[seen] > 0).all()
        assert there["roughness"] == surface.material.roughness
        assert there["specular"] == surface.material.specular
    np.testing.assert_array_equal(Image.open(file.parent / floor["color"]), COLORS)
    with Image.open(file.parent / flat["color"]) as image:
        np.testing.assert_array_equal(np.array(image), [[[51, 102, 153, 0], [51, 102, 153, 255]]])
    worn = told["people"][0][0]
    np.testing.assert_allclose(worn["color"], [0.21404, 1, 0], atol=1e-5)
    np.testing.assert_array_equal(Image.open(file.parent / worn["relief"]), COLORS)
    assert [floor["masked"], flat["masked"], floor["relief"]] == [False, True, None]
    assert told["bounces"] == 3, "of four surfaces that are lit the first is met without one"


def test_lamps_shine_the_same_way_and_stop_light_from_behind(written) -> None:
    _, file, told = written
    (lamp,) = told["lamps"]
    to_world = np.array(lamp["to_world"])
    assert np.linalg.det(to_world[:3, :3]) == pytest.approx(1)
    u, v = np.array(LAMP.half_u_world), np.array(LAMP.half_v_world)
    along = np.cross(u, v) / np.linalg.norm(np.cross(u, v))
    np.testing.assert_allclose(ours(-to_world[:3, 2]), along, atol=1e-12)
    ends = [[x, y, 0, 1] for x in (-0.5, 0.5) for y in (-0.5, 0.5)] * np.r_[lamp["size"], 1, 1]
    corners = ours((to_world @ ends.T).T[:, :3])
    expected = [LAMP.center_world + a * u + b * v for a in (-1, 1) for b in (-1, 1)]
    np.testing.assert_allclose(sorted(corners.tolist()), sorted(np.array(expected).tolist()))
    assert lamp["radiance"] == [6, 4, 2]
    back = ours(np.load(file.parent / told["place"][-1]["mesh"])["vertices"])
    np.testing.assert_allclose((back - LAMP.center_world) @ along, -0.001, atol=1e-6)
    assert np.linalg.norm(back.mean(axis=0) - LAMP.center_world) < 0.0011


def test_the_light_around_lies_where_blender_looks_it_up(written) -> None:
    shot, file, _ = written
    slope = np.array([[0.3, 0.1, -0.2], [0.2, -0.3, 0.1], [-0.1, 0.2, 0.3]])
    around = (1 + directions(64) @ slope).astype(np.float32)
    sun = (0.6, 0.64, -0.48)
    lit = replace(shot, lights=(Environment(around, sun, (9.0, 8.0, 7.0)),))
    told = json.loads(cycles_scene.write_shot(lit, file.parent, 4, 0.5).read_text())
    laid = np.load(file.parent / told["around"])
    height, width = laid.shape[:2]
    # Blender's equirectangular mapping, of the middles of pixels, v = 1 at the zenith.
    phi = np.pi - 2 * np.pi * (np.arange(width) + 0.5) / width
    theta = np.pi * (np.arange(height)[:, None] + 0.5) / height
    looking = np.stack(np.broadcast_arrays(
        np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)), axis=-1,
    )  # fmt: skip
    np.testing.assert_allclose(laid, 0.5 * (1 + ours(looking) @ slope), atol=0.02)
    toward = ours(np.array(told["sun"]["to_world"])[:3, 2])
    np.testing.assert_allclose(toward, sun, atol=1e-9)
    assert told["sun"]["irradiance"] == [4.5, 4, 3.5]


def test_shots_share_what_they_have_in_common(written) -> None:
    shot, file, told = written
    before = {path.name for path in file.parent.iterdir()}
    moved = replace(shot, people=())
    again = json.loads(cycles_scene.write_shot(moved, file.parent, 4, 2.0).read_text())
    assert again["place"] == told["place"] and again["people"] == []
    assert len({path.name for path in file.parent.iterdir()} - before) == 1, "the JSON file alone"


@pytest.mark.parametrize("needed", [1, 2, 3, 23, 100, 256])
def test_the_fewest_samples_are_found(needed: int) -> None:
    asked = []

    def db_at(spp: int) -> float:
        asked.append(spp)
        return 10 * np.log10(spp / needed)

    spp, db = render_cycles.fewest(db_at, 0.0, 256)
    assert needed <= spp <= needed + needed // 10 and db == db_at(spp)
    assert len(asked) <= 14
    assert render_cycles.fewest(lambda spp: -1.0, 0.0, 256) == (256, -1.0)


@pytest.mark.parametrize("size", [(16, 12), (64, 20), (500, 500)])
def test_a_window_shows_the_same_pixels_about_the_first_person(written, size) -> None:
    shot = written[0]
    labelled = replace(shot.people[0], keypoints_world=RNG.normal((0, 1, 0), 0.05, (37, 3)))
    shot = replace(shot, people=(labelled,))
    cut = render_cycles.window(shot, size).camera
    assert (cut.width, cut.height) == (min(size[0], 64), min(size[1], 48))
    points = RNG.uniform(-0.5, 0.5, (20, 3)) + np.array([0, 0.8, 0])
    shift = shot.camera.project(points) - cut.project(points)
    first = np.rint(shift[0])
    np.testing.assert_allclose(shift, np.tile(first, (20, 1)), atol=1e-9)
    sides = np.array([cut.width, cut.height])
    assert (first >= 0).all() and (first + sides <= (64, 48)).all()
    off = cut.project(labelled.keypoints_world).mean(axis=0) - sides / 2
    inside = (first > 0) & (first + sides < (64, 48))
    assert (np.abs(off)[inside] <= 0.5).all()
    assert inside.any() == (size != (500, 500))


def test_psnr() -> None:
    black = np.zeros((2, 2, 3), np.uint8)
    assert render_cycles.psnr_db(black, black + np.uint8(255)) == 0
    assert render_cycles.psnr_db(black, black + np.uint8(1)) == pytest.approx(48.13, abs=0.01)


def test_a_python_without_blender_is_told_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "python"
    broken.write_text("no program")
    for python, wrong in (
        (tmp_path / "absent", "no such file"),
        (broken, "does not run"),
        (Path(sys.executable), "it has no bpy that works (ModuleNotFoundError"),
    ):
        monkeypatch.setattr(sys, "argv", ["render.py", "--bpy-python", str(python)])
        with pytest.raises(SystemExit) as stopped:
            render.settings()
        assert stopped.value.code == 2
        last = capsys.readouterr().err.splitlines()[-1]
        assert f"{python}: " in last and wrong in last and "bpy" in last
    monkeypatch.setattr(sys, "argv", ["render.py", "--size", "64by48"])
    with pytest.raises(SystemExit) as stopped:
        render.settings()
    assert stopped.value.code == 2
    assert "'64by48'" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow
def test_blenders_side_says_what_it_is_for() -> None:
    cycles_draw = Path(render_cycles.__file__).with_name("cycles_draw.py")
    done = subprocess.run([sys.executable, cycles_draw], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1 and "--bpy-python" in done.stdout
