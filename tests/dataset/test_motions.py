"""Datasets of people who perform motions: what a run remembers of them."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import pytest
from fakes import BallRenderer, ball_source

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.state import describe, motion_weights
from spinetrack_synth.errors import UserError
from spinetrack_synth.scenes import load_scene


def config(*motions: Path, scene: str = "balls") -> DatasetConfig:
    return DatasetConfig(
        scene=scene, count=1, size=(64, 48), motions=tuple(str(path) for path in motions)
    )


def make(settings: DatasetConfig, out: Path) -> int:
    return run_dataset(
        settings, out, open_source=ball_source, open_renderer=lambda backend: BallRenderer()
    )


def test_without_motions_nothing_is_said_of_them() -> None:
    assert not {"motions", "motion_sha256"} & describe(config()).keys()


def test_a_run_remembers_the_content_of_its_motions(tmp_path: Path) -> None:
    motion = tmp_path / "walk.bvh"
    motion.write_text("steps")
    described = describe(config(motion))
    assert described["motions"] == [str(motion)]
    assert described["motion_sha256"] == {str(motion): hashlib.sha256(b"steps").hexdigest()}
    assert make(config(motion), tmp_path / "OUT") == 1
    assert make(config(motion), tmp_path / "OUT") == 0
    motion.write_text("other steps")
    with pytest.raises(UserError, match="holds another run"):
        make(config(motion), tmp_path / "OUT")


def test_an_absent_motion_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.bvh: No such file or directory; give a motion"):
        make(config(tmp_path / "gone.bvh"), tmp_path / "OUT")
    assert not (tmp_path / "OUT").exists()


def test_those_asked_for_replace_those_of_the_scene(tmp_path: Path) -> None:
    yoga = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text(encoding="utf-8")
    scene = tmp_path / "own.toml"
    scene.write_text(yoga + '\n[motions]\n"walk.bvh" = 3\n')
    assert motion_weights(config(scene=str(scene))) == {str(tmp_path / "walk.bvh"): 3.0}
    asked = config(tmp_path / "run.bvh", scene=str(scene))
    assert motion_weights(asked) == {str(tmp_path / "run.bvh"): 1.0}


def test_a_scene_of_ones_own_is_told_by_its_name_and_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yoga = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(yoga.replace('name = "yoga"', 'name = "stretching"'))
    there, elsewhere = (
        describe(config(scene=str(path))) for path in (Path("mine.toml"), tmp_path / "mine.toml")
    )
    assert there == elsewhere
    assert there["scene"] == "stretching"
    assert there["scene_sha256"] == hashlib.sha256(Path("mine.toml").read_bytes()).hexdigest()
    packaged = describe(config(scene="yoga"))
    Path("yoga").write_text(Path("mine.toml").read_text())  # the package's goes before it
    assert describe(config(scene="yoga")) == packaged
    assert "scene_sha256" not in packaged
    assert load_scene("yoga").name == "yoga"


def test_several_scenes_are_told_by_name_weight_and_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yoga = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    mine = Path("mine.toml")
    mine.write_text(yoga.replace('name = "yoga"', 'name = "mat"') + '[motions]\n"a.bvh" = 3\n')
    Path("a.bvh").write_text("steps")
    told = describe(config(scene="yoga:2,mine.toml"))
    assert told["scene"] == "mat:1,yoga:2"
    assert told["scene_sha256"] == {"mat": hashlib.sha256(mine.read_bytes()).hexdigest()}
    assert told["motion_sha256"] == {"a.bvh": hashlib.sha256(b"steps").hexdigest()}
    assert describe(config(scene=f"{tmp_path / 'mine.toml'},yoga:2")) == told | {
        "motion_sha256": {str(tmp_path / "a.bvh"): hashlib.sha256(b"steps").hexdigest()}
    }
    assert describe(config(scene="yoga,mine.toml"))["scene"] != told["scene"]


def test_one_scene_with_a_weight_is_the_scene() -> None:
    assert describe(config(scene="yoga:3")) == describe(config(scene="yoga"))


def test_scenes_that_call_themselves_alike_are_refused(tmp_path: Path) -> None:
    yoga = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(yoga)
    with pytest.raises(UserError, match="two of the scenes call themselves 'yoga'"):
        describe(config(scene=f"yoga,{tmp_path / 'mine.toml'}"))
