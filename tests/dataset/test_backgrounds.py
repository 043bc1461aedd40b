"""Datasets before the user's own backgrounds: what a run remembers of them, and one drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fakes import BallRenderer, ball_source
from PIL import Image
from radiance_files import map_directions, write_hdr

from spinetrack_synth.cli import main
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.licences import own_files
from spinetrack_synth.dataset.source import scene_source
from spinetrack_synth.dataset.state import describe
from spinetrack_synth.errors import UserError


def photo(path: Path, blue: int = 120) -> Path:
    y, x = np.mgrid[:96, :128]
    rgb = np.stack([60 + x, 60 + y, np.full_like(x, blue)], axis=-1)
    Image.fromarray(rgb.astype(np.uint8)).save(path)
    return path


def settings(folder: Path, **more) -> DatasetConfig:
    return DatasetConfig(scene="yoga", count=1, size=(96, 72), format="png", **more)


def make(config: DatasetConfig, out: Path) -> int:
    return run_dataset(
        config, out, open_source=ball_source, open_renderer=lambda backend: BallRenderer()
    )


def test_without_backgrounds_nothing_is_said_of_them() -> None:
    described = describe(DatasetConfig(scene="yoga", count=1))
    assert not {"backgrounds", "hdri", "background_sha256"} & set(described)


def test_a_run_notices_changed_backgrounds(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    photo(tmp_path / "photos/a.png")
    config, out = settings(tmp_path, backgrounds=f"{tmp_path}/photos:0.5"), tmp_path / "OUT"
    told = describe(config)
    assert list(told["background_sha256"]) == ["a.png"]
    assert told["backgrounds"] == 0.5
    assert make(config, out) == 1
    (tmp_path / "photos").rename(tmp_path / "moved")  # where they lie changes nothing
    assert make(settings(tmp_path, backgrounds=f"{tmp_path}/moved:0.5"), out) == 0
    with pytest.raises(UserError, match=r"holds another run \(.*backgrounds 0\.5 there"):
        make(settings(tmp_path), out)
    photo(tmp_path / "moved/a.png", blue=10)
    with pytest.raises(UserError, match=r"holds another run \(background_sha256 a\.png"):
        make(settings(tmp_path, backgrounds=f"{tmp_path}/moved:0.5"), out)


def test_backgrounds_are_named_among_ones_own_files() -> None:
    few = {f"{k}.jpg": "" for k in (2, 1)}
    assert own_files({"background_sha256": few}) == ("1.jpg", "2.jpg")
    many = dict.fromkeys(map(str, range(500)), "")
    assert own_files({"background_sha256": many}) == ("500 backgrounds, named in manifest.json",)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--backgrounds", "nowhere"], "there is no such folder"),
        (["--backgrounds", "empty"], "holds no photographs"),
        (["--hdri", "photos"], "holds no environment maps"),
        (["--backgrounds", "photos:2"], "is no number above 0"),
        (["--backgrounds", "photos", "--backend", "unreal"], "go with --backend embedded"),
        (["--backgrounds", "photos", "--views", "2"], "leave out --views"),
        (["--hdri", "photos", "--sequence", "9"], "leave out --backgrounds and --hdri"),
        (["--backgrounds", "broken"], "cannot be read as a picture"),
    ],
)
def test_bad_input_ends_in_one_line(
    options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "photos", "broken"):
        (tmp_path / folder).mkdir()
    photo(tmp_path / "photos/a.png")
    (tmp_path / "broken/a.jpg").write_bytes(b"\xff\xd8\xff")
    command = [
        "spinetrack-synth",
        "render",
        "--scenes",
        "yoga",
        "--count",
        "1",
        "--out",
        "OUT",
        *options,
    ]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = capsys.readouterr().err.strip()
    assert told in said
    assert "\n" not in said
    assert not (tmp_path / "OUT").exists()


@pytest.mark.slow
def test_a_drawn_person_stands_on_the_photograph(tmp_path: Path) -> None:
    pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
    (tmp_path / "photos").mkdir()
    photo(tmp_path / "photos/a.png")
    config = settings(tmp_path, backgrounds=f"{tmp_path}/photos", quality="draft", subjects=(1, 1))
    assert run_dataset(config, tmp_path / "OUT") == 1
    document = json.loads((tmp_path / "OUT/annotations/person_keypoints_train.json").read_bytes())
    (image,) = document["images"]
    assert (image["background"], image["place"]) == ("a.png", "photo")
    drawn = np.asarray(Image.open(tmp_path / "OUT/images/train" / image["file_name"])).astype(int)
    # The photograph's blue is even: wherever it is left, nobody stands and no shadow falls.
    left = np.abs(drawn[..., 2] - 120) <= 3
    assert left.mean() > 0.15
    assert left[0].mean() > 0.3
    assert document["annotations"][0]["area"] > 0


@pytest.mark.slow
def test_two_cameras_see_one_environment(tmp_path: Path) -> None:
    """A map whose colour is the direction: each picture tells where its camera looks in it."""
    pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
    write_hdr(tmp_path / "directions.hdr", 1 + map_directions())
    shot_at = scene_source(settings(tmp_path, hdri=str(tmp_path), views=2, subjects=(1, 1)))
    first, second = shot_at(0), shot_at(1)
    assert first.lights is second.lights
    assert first.people is second.people
    turns_rad = []
    for shot in (first, second):
        assert shot.backdrop is not None
        rows, columns = np.mgrid[:72:7, :96:7]
        rays = shot.camera.unproject(np.stack([columns, rows], -1) + 0.5, np.ones_like(rows))
        rays = rays - shot.camera.position_world
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        seen = shot.backdrop.radiance[rows, columns] - 1
        np.testing.assert_allclose(seen[..., 1], rays[..., 1], atol=0.03)
        level = np.arctan2(seen[..., 2], seen[..., 0]) - np.arctan2(rays[..., 2], rays[..., 0])
        turns_rad.append(np.angle(np.exp(1j * level).mean()))
        assert np.abs(np.exp(1j * level).mean()) > 0.999
    assert turns_rad[0] == pytest.approx(turns_rad[1], abs=0.01)
