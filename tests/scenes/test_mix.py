"""Several scenes by weight: what is typed, and which scene a shot shows."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.scenes import SceneMix, load_scene, read_mix, scene_names


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("yoga", {"yoga": 1}),
        ("yoga,gym:2", {"yoga": 1, "gym": 2}),
        (" yoga:0.5 , gym ", {"yoga": 0.5, "gym": 1}),
        ("yoga,my/own.toml:3", {"yoga": 1, "my/own.toml": 3}),
        (r"C:\mine.toml", {r"C:\mine.toml": 1}),
        (r"C:\mine:2", {r"C:\mine": 2}),
        ("all", dict.fromkeys(scene_names(), 1)),
    ],
)
def test_scenes_are_read_with_their_weights(text: str, weights: dict[str, float]) -> None:
    assert read_mix(text).weights == weights


def test_a_file_with_a_comma_is_one_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a,b:2").write_text("")
    assert read_mix("a,b:2").weights == {"a,b:2": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("yoga:two", "weight 'two' of scene 'yoga' is no number above 0"),
        ("yoga:0", "is no number above 0"),
        ("yoga:-1", "is no number above 0"),
        ("yoga:nan", "is no number above 0"),
        ("yoga:inf", "is no number above 0"),
        ("yoga:", "weight ''"),
        ("yoga,", "a name is missing"),
        ("", "a name is missing"),
        (":2", "a name is missing"),
        ("yoga,gym,yoga:2", "'yoga' is named twice"),
        ("yoga,all", "'all' stands alone"),
    ],
)
def test_what_is_no_mix_is_told(text: str, problem: str) -> None:
    with pytest.raises(UserError, match="scenes ") as error:
        read_mix(text)
    assert problem in str(error.value)


def test_an_unknown_scene_in_a_list_names_the_nearest() -> None:
    with pytest.raises(UserError, match="no scene 'yogi'; did you mean 'yoga'"):
        _ = read_mix("yoga,yogi").scenes


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three scenes x, y, z, whose files sort the other way round."""
    folder = tmp_path_factory.mktemp("scenes")
    yoga = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text(encoding="utf-8")
    for name, stem in {"x": "3", "y": "2", "z": "1"}.items():
        (folder / f"{stem}.toml").write_text(yoga.replace('name = "yoga"', f'name = "{name}"'))
    return folder


def shown(mix: SceneMix, seed: int, index: int) -> str:
    """The name of the scene that a shot shows."""
    return mix.scenes[mix.pick(seed, index)].name


def test_shots_show_scenes_by_weight(written: Path) -> None:
    """Counts over 4,000 shots lie within four standard deviations of the weights."""
    mix, shots = read_mix(f"{written}/3.toml:3,{written}/2.toml"), 4000
    seen = Counter(shown(mix, 11, index) for index in range(shots))
    assert abs(seen["x"] - 0.75 * shots) < 4 * np.sqrt(shots * 0.75 * 0.25)
    assert seen["x"] + seen["y"] == shots


def test_order_and_paths_of_scenes_do_not_matter(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = read_mix(f"{written}/3.toml,{written}/2.toml:2,{written}/1.toml")
    monkeypatch.chdir(written)
    other = read_mix("1.toml,3.toml,2.toml:2")
    assert [shown(one, 3, k) for k in range(50)] == [shown(other, 3, k) for k in range(50)]


def test_a_shots_scene_depends_on_seed_and_index_alone(written: Path) -> None:
    mix = read_mix(f"{written}/3.toml,{written}/2.toml")
    assert shown(mix, 5, 40) == [shown(mix, 5, k) for k in range(60)][40]
    assert {shown(mix, seed, 0) for seed in range(20)} == {"x", "y"}


def test_descriptions_are_read_once_each() -> None:
    mix = read_mix("yoga")
    assert mix.scenes["yoga"] is mix.scenes["yoga"]
    assert mix.scenes["yoga"] == load_scene("yoga")
