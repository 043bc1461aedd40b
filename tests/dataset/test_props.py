"""Datasets with things from mesh files: what a run remembers of them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from fakes import BallRenderer, ball_source
from PIL import Image

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.state import describe
from spinetrack_synth.errors import UserError

pytest.importorskip("trimesh", reason="pip install 'spinetrack-synth[meshes]'")


def set_up(folder: Path) -> DatasetConfig:
    """A scene with a crate whose colours lie in a picture beside it."""
    yoga = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text(encoding="utf-8")
    thing = '[[props]]\nname = "crate"\nfile = "crate.obj"\nposition_m = [1, 0, 1]\n'
    (folder / "gym.toml").write_text(yoga + thing)
    Image.new("RGB", (4, 4), (120, 80, 30)).save(folder / "wood.png")
    (folder / "crate.mtl").write_text("newmtl wood\nmap_Kd wood.png\n")
    (folder / "crate.obj").write_text(
        "mtllib crate.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\n"
        "usemtl wood\nf 1/1 2/2 3/3\n"
    )
    return DatasetConfig(scene=str(folder / "gym.toml"), count=1, size=(64, 48))


def make(settings: DatasetConfig, out: Path) -> int:
    return run_dataset(
        settings, out, open_source=ball_source, open_renderer=lambda backend: BallRenderer()
    )


def test_without_things_nothing_is_said_of_them() -> None:
    assert "prop_sha256" not in describe(DatasetConfig(scene="yoga", count=1))


@pytest.mark.parametrize("changed", ["crate.obj", "crate.mtl", "wood.png"])
def test_a_run_notices_changed_files(changed: str, tmp_path: Path) -> None:
    settings, out = set_up(tmp_path), tmp_path / "OUT"
    assert list(describe(settings)["prop_sha256"]) == ["crate"]
    assert make(settings, out) == 1
    assert make(settings, out) == 0
    if changed.endswith("png"):
        Image.new("RGB", (4, 4), (10, 80, 30)).save(tmp_path / changed)
    else:
        (tmp_path / changed).write_text((tmp_path / changed).read_text() + "# another\n")
    with pytest.raises(UserError, match=r"holds another run \(prop_sha256 crate"):
        make(settings, out)


def test_a_bad_file_is_told_before_anything_is_written(tmp_path: Path) -> None:
    settings = set_up(tmp_path)
    (tmp_path / "crate.obj").write_text("")
    with pytest.raises(UserError, match=r"thing 'crate': .*crate\.obj: is empty"):
        make(settings, tmp_path / "OUT")
    assert not (tmp_path / "OUT").exists()
