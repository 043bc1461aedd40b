"""Pipelines that come with the repository, run on people of the tests in place of rendered ones."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from clean import clean, write, write_pictures
from commands import type_in

from spinetrack_synth.cli.arguments import parse
from spinetrack_synth.pipelines.planning import read_plan
from spinetrack_synth.pipelines.running import run

PIPELINES = Path(__file__).parents[2] / "pipelines"

pytestmark = pytest.mark.slow


def without_render(name: str) -> str:
    """The text of a pipeline whose first step, which renders, is taken out."""
    before, _, rest = (PIPELINES / name).read_text().partition("[steps.render]\n")
    return before + rest[rest.index("[steps.") :]


def execute(arguments: Sequence[str], folder: Path) -> int:
    return type_in(folder, *arguments).code


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """A folder as `render` leaves it: three pictures of two people each."""
    folder = tmp_path / "people"
    (folder / "annotations").mkdir(parents=True)
    (folder / "images").mkdir()
    write_pictures(folder / "images/train", clean())
    write(folder / "annotations/person_keypoints_train.json", clean())
    return folder


def test_a_dataset_of_ones_own_becomes_a_release(standing: Path, tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    path = tmp_path / "release.toml"
    path.write_text(without_render("release.toml") + '[files]\npeople = "people"\n')
    told: list[str] = []
    assert run(read_plan(path, tmp_path / "out", parse), parse, told.append, execute), told
    assert told[-1] == "# 7 steps: 7 done"
    with zipfile.ZipFile(tmp_path / "out/release.zip") as archive:
        labels = [n for n in archive.namelist() if n.startswith("annotations/")]
        people = [json.loads(archive.read(name))["annotations"] for name in labels]
    assert [Path(name).stem.rpartition("_")[2] for name in labels] == ["test", "train", "val"]
    subjects = [{person["subject"] for person in each} for each in people]
    assert sum(map(len, subjects)) == len(set.union(*subjects)) == 6
    assert (tmp_path / "out/yolo/data.yaml").is_file() and (tmp_path / "out/check.html").is_file()
    assert len(list((tmp_path / "out/tables/data").glob("*.parquet"))) == 3
    told.clear()
    assert run(read_plan(path, tmp_path / "out", parse), parse, told.append, execute)
    assert told[-1] == "# 7 steps: 7 up to date"


def test_the_gap_to_a_real_set(
    standing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    shutil.copytree(standing / "images/train", tmp_path / "home/real/images")
    write(tmp_path / "home/real/annotations.json", clean())
    path = tmp_path / "sim2real.toml"
    path.write_text(
        without_render("sim2real.toml").replace("[files]\n", '[files]\nsynthetic = "people"\n')
    )
    told: list[str] = []
    assert run(read_plan(path, tmp_path / "out", parse), parse, told.append, execute), told
    assert told[-1] == "# 5 steps: 5 done"
    report = json.loads((tmp_path / "out/gap/report.json").read_text())
    assert any("the same" in warning for warning in report["warnings"])  # both sides are one set
    assert (tmp_path / "out/real.html").is_file() and (tmp_path / "out/synthetic.html").is_file()
