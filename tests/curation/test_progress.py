"""Tools tell how far they are: of every picture once, to the last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clean import clean, write, write_pictures
from small_datasets import read, write_dataset

from spinetrack_synth.curation.converting import FORMATS, convert
from spinetrack_synth.curation.merging import merge
from spinetrack_synth.curation.opening import open_dataset
from spinetrack_synth.curation.packaging import package
from spinetrack_synth.curation.progress import Progress
from spinetrack_synth.curation.splitting import split_dataset


class Told:
    """What bars were told, by what they count."""

    def __init__(self) -> None:
        self.units: dict[str, list[tuple[int, int]]] = {}

    @contextmanager
    def bar(self, unit: str) -> Iterator[Progress]:
        told = self.units.setdefault(unit, [])
        yield lambda done, wanted: told.append((done, wanted))

    def of(self, unit: str, count: int) -> None:
        """Each of so many was told of, one after another."""
        assert self.units[unit] == [(done, count) for done in range(1, count + 1)]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """Pictures of two splits."""
    write_dataset(tmp_path / "A", [{}, {}, {}], people=[[{}], [], [{}, {}]])
    write_dataset(tmp_path / "A", [{}, {}], name="val")
    return tmp_path / "A"


def test_merging(told: Told, five: Path, tmp_path: Path) -> None:
    merge([five, five], tmp_path / "out", bar=told.bar)
    assert list(told.units) == [
        "MB of person_keypoints_train.json", "MB of person_keypoints_val.json", "pictures"
    ]  # fmt: skip
    told.of("pictures", 10)


def test_splitting_looks_at_all_before_it_writes(told: Told, five: Path, tmp_path: Path) -> None:
    split_dataset(five, {"a": 0.6, "b": 0.4}, (), tmp_path / "out", bar=told.bar)
    told.of("pictures looked at", 5)
    told.of("pictures", 5)


@pytest.mark.parametrize("to", FORMATS)
def test_converting_there_and_back(told: Told, five: Path, tmp_path: Path, to: str) -> None:
    if to == "yolo-pose":
        pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    convert(five, to, tmp_path / "there", bar=told.bar)
    told.of("pictures", 5)
    back = Told()
    convert(tmp_path / "there", "spinetrack-37", tmp_path / "back", bar=back.bar)
    back.of("pictures", 5)


@pytest.mark.parametrize("tool", [
    lambda path, out, bar: merge([path], out, bar=bar),
    lambda path, out, bar: convert(path, "coco-17", out, bar=bar),
])  # fmt: skip
def test_looking_for_the_names_of_points_counts_for_nothing(
    told: Told, five: Path, tmp_path: Path, tool: Callable[..., object]
) -> None:
    for path in (five / "annotations").iterdir():
        data = read(path) | {"categories": [{"id": 1, "name": "person"}]}
        path.write_text(json.dumps(data))
    tool(five, tmp_path / "out", told.bar)
    told.of("pictures", 5)


@pytest.mark.parametrize(("to", "pattern"), [("webdataset", "*.tar"), ("huggingface", "*.parquet")])
def test_what_is_in_a_damaged_file_is_not_known_before(
    five: Path, tmp_path: Path, to: str, pattern: str
) -> None:
    convert(five, to, tmp_path / "out")
    with open_dataset(tmp_path / "out") as splits:
        assert [split.pictures for split in splits] == [3, 2]
    damaged = next((tmp_path / "out").rglob(f"val{pattern}"))
    damaged.write_bytes(b"\1" * 600 if to == "webdataset" else damaged.read_bytes())
    with open_dataset(tmp_path / "out") as splits:
        assert [split.pictures for split in splits] == [3, 0 if to == "webdataset" else 2]


def test_packaging(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # settings of the gate are looked for here
    pictures = write_pictures(tmp_path / "drawn", clean())
    shutil.copytree(pictures, tmp_path / "in/images/val")
    (tmp_path / "in/annotations").mkdir()
    write(tmp_path / "in/annotations/person_keypoints_val.json", clean())
    made = package(tmp_path / "in", tmp_path / "release.zip", bar=told.bar)
    told.of("pictures", 3)
    told.of("checksums", made.files - 1)
    told.of("files packed", made.files)
    done, wanted = told.units["records"][-1]  # of each rule that takes long, those of the gate
    assert done == wanted > 0
