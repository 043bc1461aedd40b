import re

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.library import library
from spinetrack_synth.scenes import describe, load_scene, scene_names
from spinetrack_synth.scenes.description import parse_scene

GOOD = """
name = "mine"
title = "My own"
places = { park = 1 }
poses = { seated = 1, twist = 2 }
[people]
count = { 1 = 1, 2 = 0 }
same_pose = 0.4
gap_m = 0.25
props = 0.5
[camera]
height_m = [0.3, 2.2]
lens_mm = [24, 85]
coverage = [0.35, 0.95]
group = 0.5
crop = 0.10
crop_coverage = [1.05, 1.40]
roll_deg = [-3, 3]
clearance_m = 0.8
[light]
sun_elevation_deg = [10, 70]
turbidity = [2.2, 6.0]
overcast = 0.18
evening = 0.15
lamps = 0.35
daylight_kelvin = [5200, 8500]
lamp_kelvin = [2800, 4200]
exposure_stops = [-0.6, 0.5]
"""


def test_the_package_brings_yoga():
    assert "yoga" in scene_names()
    scene = load_scene("yoga")
    assert scene.name == "yoga"
    assert set(scene.places) == {"studio", "terrace", "park"}
    assert set(scene.people.count) == {1, 2, 3}


def test_every_family_of_the_library_is_in_yoga():
    assert set(load_scene("yoga").poses) == {pose.family for pose in library("yoga").values()}


def test_describe_counts_the_poses_of_the_families():
    (yoga,) = [entry for entry in describe() if entry["name"] == "yoga"]
    assert yoga["poses"] == len(library("yoga"))
    assert yoga["people"] == (1, 2, 3)


def test_clothes_are_styles_by_weight_that_may_be_left_out():
    assert parse_scene(GOOD.encode(), "mine.toml").people.clothes == {}
    dressed = GOOD.replace("props = 0.5", "props = 0.5\nclothes = { casual = 2, winter = 1 }")
    assert parse_scene(dressed.encode(), "mine.toml").people.clothes == {"casual": 2, "winter": 1}
    wrong = dressed.replace("winter", "wintry")
    with pytest.raises(UserError, match=r"people.clothes.wintry: unknown; did you mean 'winter'"):
        parse_scene(wrong.encode(), "mine.toml")


def test_nights_are_a_share_that_may_be_left_out():
    content = GOOD.encode()
    assert parse_scene(content, "mine.toml").light.night == 0
    assert parse_scene(content + b"night = 0.3\n", "mine.toml").light.night == 0.3
    with pytest.raises(UserError, match=r"mine.toml: light.night: 3 is a share: give 0 to 1"):
        parse_scene(content + b"night = 3\n", "mine.toml")


def test_own_file_by_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    scene = load_scene(path)
    assert scene.name == "mine"
    assert dict(scene.people.count) == {1: 1.0}  # a weight of 0 means never
    assert scene == load_scene(str(path))


def test_unknown_name_names_the_nearest():
    with pytest.raises(UserError, match=r"no scene 'yogi'; did you mean 'yoga'\?"):
        load_scene("yogi")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.toml: No such file"):
        load_scene(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lens_mm = [24, 85]", "lense_mm = [24, 85]",
         "f.toml: camera.lense_mm: unknown key; did you mean 'lens_mm'?"),
        ("lens_mm = [24, 85]", "", "f.toml: camera.lens_mm: is missing"),
        ("lens_mm = [24, 85]", "lens_mm = [85, 24]",
         "f.toml: camera.lens_mm: [85, 24] is no range"),
        ("lens_mm = [24, 85]", "lens_mm = 50", "f.toml: camera.lens_mm: 50 is no range"),
        ("lens_mm = [24, 85]", "lens_mm = [24, 900]",
         "f.toml: camera.lens_mm: [24, 900] must lie within 14 to 200"),
        ("crop = 0.10", "crop = 3", "f.toml: camera.crop: 3 is a share: give 0 to 1"),
        ("crop = 0.10", "crop = true", "f.toml: camera.crop: True is no number from 0 up"),
        ("park = 1", "parc = 1", "f.toml: places.parc: unknown; did you mean 'park'?"),
        ("park = 1", "park = -1", "f.toml: places.park: -1 is no weight from 0 up"),
        ("park = 1", "park = 0", "f.toml: places: no weight above 0"),
        ("seated = 1", "siting = 1", "f.toml: poses.siting: unknown"),
        ("count = { 1 = 1, 2 = 0 }", "count = { 9 = 1 }", "f.toml: people.count.9: unknown"),
        ('title = "My own"', "title = 3", "f.toml: title: 3 is no text"),
        ("[light]", "[dark]", "f.toml: dark: unknown key"),
        ("[people]", "[people", "f.toml: Expected"),
    ],
)  # fmt: skip
def test_mistakes_are_located(old, new, message):
    text = GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(UserError, match=re.escape(message)):
        parse_scene(text.encode(), "f.toml")


def test_bytes_that_are_no_text():
    with pytest.raises(UserError, match=r"f\.toml: byte 1 is not UTF-8"):
        parse_scene(b"a\xff", "f.toml")
