"""Lenses and films as scenes ask for them."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.camera import look_at
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.errors import UserError
from spinetrack_synth.scenes import Scene, make_shot
from spinetrack_synth.scenes.description import DistortionRules, FilmRules, Range, parse_scene
from spinetrack_synth.scenes.optics import Lens, draw_film, draw_lens
from spinetrack_synth.shot import Film

YOGA = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text()
GOOD = re.sub("(?m)^(studio|terrace) .*\n| *#.*", "", YOGA)
"""In the park, without comments."""


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_scenes_that_ask_for_no_lens_and_no_film_have_none() -> None:
    scene = parse_scene(GOOD.encode(), "f.toml")
    assert draw_lens(scene.camera, rng()) == Lens()
    assert draw_film(scene.film, rng()) is None
    camera = look_at((3, 1, 0), (0, 1, 0), focal_px=500, width=640, height=480)
    assert Lens().on(camera) is camera


def test_all_keys_are_read() -> None:
    text = GOOD.replace(
        "clearance_m = 0.8",
        "clearance_m = 0.8\nportrait = 0.5\ntruncation = 0.25\ntruncated = [0.2, 0.4]\n"
        "f_number = [1.4, 16]\n[camera.distortion]\nk1 = [-0.1, 0.05]\np2 = [0, 0.001]\n"
        "[film]\niso = [100, 3200]\njpeg_quality = [50, 95]",
    )
    scene = parse_scene(text.encode(), "f.toml")
    assert scene.camera.portrait == 0.5
    assert scene.camera.truncated == Range(0.2, 0.4)
    assert scene.camera.distortion == DistortionRules(k1=Range(-0.1, 0.05), p2=Range(0.0, 0.001))
    assert scene.film == FilmRules(iso=Range(100.0, 3200.0), jpeg_quality=Range(50.0, 95.0))
    lenses = [draw_lens(scene.camera, rng(seed)) for seed in range(200)]
    stops = np.log2([lens.f_number for lens in lenses])
    assert np.histogram(stops, bins=4, range=(0.485, 4))[0].min() > 30
    assert all(-0.1 <= lens.distortion.k1 <= 0.05 for lens in lenses)
    films = [draw_film(scene.film, rng(seed)) for seed in range(200)]
    assert all(isinstance(film, Film) and 50 <= film.jpeg_quality <= 95 for film in films)
    assert len({film.jpeg_quality for film in films}) > 30


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("[camera.distortion]\nk1 = [-0.2, 0]",
         "f.toml: camera.distortion: k1 = -0.2, k2 = 0, k3 = 0 fold the picture before its corner"),
        ("[camera.distortion]\nk1 = [0, 0.1]\nk2 = [-0.3, 0]", "k2 = -0.3, k3 = 0 fold"),
        ("[camera.distortion]\nk1 = [-2, 0]",
         "f.toml: camera.distortion.k1: [-2, 0] must lie within -0.5 to 0.5"),
        ("[camera.distortion]\nk4 = [0, 0]", "f.toml: camera.distortion.k4: unknown key"),
        ("distortion = 0.1", "f.toml: camera.distortion: 0.1 is no table"),
        ("f_number = [0, 2]", "f.toml: camera.f_number: [0, 2] must lie within 0.7 to 64"),
        ("shutter_s = [0, 0.1]", "f.toml: camera.shutter_s: [0, 0.1] must lie within 0.0001 to"),
        ("shake_deg_s = [-1, 2]", "f.toml: camera.shake_deg_s: [-1, 2] must lie within 0 to 30"),
        ("portrait = 1.5", "f.toml: camera.portrait: 1.5 is a share: give 0 to 1"),
        ("truncated = [0.1, 0.95]", "f.toml: camera.truncated: [0.1, 0.95] must lie within"),
        ("height_m = [0.05, 2]", "f.toml: Cannot overwrite"),
        ("[film]\niso = [10, 100]", "f.toml: film.iso: [10, 100] must lie within 50 to 51200"),
        ("[film]\nisso = [100, 200]", "f.toml: film.isso: unknown key; did you mean 'iso'?"),
        ("[film]\njpeg_quality = [80, 100]", "f.toml: film.jpeg_quality: [80, 100] must lie"),
        ("film = 3", "f.toml: camera.film: unknown key"),
    ],
)  # fmt: skip
def test_mistakes_are_located(keys: str, message: str) -> None:
    text = GOOD.replace("clearance_m = 0.8", f"clearance_m = 0.8\n{keys}")
    with pytest.raises(UserError, match=re.escape(message)):
        parse_scene(text.encode(), "f.toml")


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (500, 500), (2000, 300)])
@pytest.mark.parametrize("focal_mm", [14, 50, 200])
def test_what_a_scene_may_ask_for_never_folds(size: tuple[int, int], focal_mm: int) -> None:
    width, height = size
    camera = look_at(
        (3, 1, 0), (0, 1, 0), focal_px=focal_mm * max(size) / 36, width=width, height=height
    )
    seeds = rng(focal_mm)
    tried = 0
    while tried < 40:
        rules = DistortionRules(
            *(Range(v, v) for v in seeds.uniform(-0.3, 0.3, 5) * (1, 1, 0.015, 0.015, 1))
        )
        if rules.check() is None:
            tried += 1
            shape = Distortion(
                *(values.low for values in (rules.k1, rules.k2, rules.p1, rules.p2, rules.k3))
            )
            Lens(shape).on(camera)  # or ValueError: it folds inside the picture


def test_k1_is_by_how_much_corners_move_whatever_the_lens() -> None:
    for focal_px in (300.0, 3000.0):
        camera = look_at((3, 1, 0), (0, 1, 0), focal_px=focal_px, width=640, height=480)
        corner = camera.unproject([[640.0, 480.0], [320.0, 480.0]], np.array([5.0, 5.0]))
        moved = Lens(Distortion(k1=-0.1)).on(camera).project(corner)
        np.testing.assert_allclose(moved[0], [320 + 0.9 * 320, 240 + 0.9 * 240])
        np.testing.assert_allclose(moved[1], [320, 240 + 240 * (1 - 0.1 * 0.36)])


OPTICS = """
portrait = 0.5
truncation = 0.8
truncated = [0.2, 0.5]
f_number = [2, 8]
[camera.distortion]
k1 = [-0.12, -0.08]
[film]
iso = [100, 1600]
"""


@pytest.mark.slow
def test_shots_are_framed_through_their_lens(cast) -> None:
    text = GOOD.replace("clearance_m = 0.8", "clearance_m = 0.8" + OPTICS)
    scene: Scene = parse_scene(text.replace("group = 0.5", "group = 0").encode(), "f.toml")
    scene = replace(scene, people=replace(scene.people, count={1: 1.0}))
    sides, shapes = set(), set()
    for index in range(18):
        shot = make_shot(scene, 3, index, cast, (320, 240), (1, 1))
        camera, person = shot.camera, shot.people[0]
        shapes.add((camera.width, camera.height))
        assert shot.film is not None and camera.distortion is not None
        near, far = np.quantile(camera.to_camera(person.skin_world)[:, 2], [0, 1])
        assert near < camera.focus_m < far
        pixels = camera.project(person.skin_world)
        seen = np.isfinite(pixels).all(axis=1)
        size = np.array([camera.width, camera.height])
        beyond = (pixels < 0, pixels > size)
        for axis in (0, 1):
            for end in (0, 1):
                if beyond[end][seen, axis].mean() > 0.05:
                    sides.add((axis, end))
        assert ((pixels > 0) & (pixels < size)).all(axis=1).mean() > 0.2
    assert shapes == {(320, 240), (240, 320)}
    assert sides == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.slow
def test_lens_and_film_change_nobodys_pose(cast) -> None:
    plain = parse_scene(GOOD.encode(), "f.toml")
    text = GOOD.replace(
        "clearance_m = 0.8", "clearance_m = 0.8\nf_number = [2, 8]\n[film]\niso = [100, 800]"
    )
    filmed = parse_scene(text.encode(), "f.toml")
    for index in range(3):
        one, other = (make_shot(s, 3, index, cast, (320, 240), (1, 1)) for s in (plain, filmed))
        assert other.film is not None and other.camera.aperture_m > 0
        assert (one.camera.world2cam == other.camera.world2cam).all()
        assert (one.camera.K == other.camera.K).all()
        assert (one.people[0].coordinates == other.people[0].coordinates).all()
        assert one.lights == other.lights


@pytest.mark.slow
def test_a_drone_sees_people_from_above_where_the_place_lets_it(cast) -> None:
    text = GOOD.replace("height_m = [0.3, 2.2]", "height_m = [5, 8]").replace(
        "[24, 85]", "[24, 200]"
    )
    scene = parse_scene(text.encode(), "f.toml")
    for index in range(4):
        shot = make_shot(scene, 3, index, cast, (320, 240), (1, 1))
        assert 5 <= shot.camera.position_world[1] <= 8
        assert shot.camera.world2cam[2, 1] < -0.3  # looks down


def test_the_pages_example_is_a_scene() -> None:
    page = (Path(__file__).parents[2] / "docs/scenes.md").read_text()
    example = next(part for part in page.split("```toml\n") if part.startswith("[camera]"))
    camera, rest = example.split("```")[0].removeprefix("[camera]").split("[camera.distortion]")
    text = re.sub("(?m)^height_m .*\n", "", GOOD).replace("[camera]", "[camera]" + camera)
    scene = parse_scene(f"{text}\n[camera.distortion]{rest}".encode(), "f.toml")
    lens = draw_lens(scene.camera, rng())
    film = draw_film(scene.film, rng())
    assert lens.distortion is not None and lens.f_number is not None
    assert film is not None and film.iso >= 100
