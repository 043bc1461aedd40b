"""Datasets packaged for release."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from clean import clean, place, write, write_pictures
from commands import Run
from fakes import BallRenderer, ball_source

from spinetrack_synth.curation.packaging import package
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.errors import UserError

LABELS = "annotations/person_keypoints_val.json"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures") / "val", clean())


@pytest.fixture
def standing(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The labels of a dataset in which the gate finds nothing, with its pictures beside it."""
    shutil.copytree(pictures, tmp_path / "in/images/val")
    (tmp_path / "in/annotations").mkdir()
    monkeypatch.chdir(tmp_path)  # settings of the gate are looked for here
    return write(tmp_path / "in" / LABELS, clean())


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_package_holds_everything_and_says_what_it_is(standing: Path, tmp_path: Path) -> None:
    made = package(tmp_path / "in", tmp_path / "release.zip")
    files = unpacked(tmp_path / "release.zip")
    assert (made.counts, made.files, made.remarks) == ({"val": (3, 6)}, len(files), [])
    assert files[LABELS] == standing.read_bytes()
    pictures = {p.name: p.read_bytes() for p in (tmp_path / "in/images/val").iterdir()}
    assert {n: files[f"images/val/{n}"] for n in pictures} == pictures
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert set(sums) == set(files) - {"SHA256SUMS"}
    for name, checksum in sums.items():
        assert hashlib.sha256(files[name]).hexdigest() == checksum
    card = files["README.md"].decode()
    assert card.startswith("---\npretty_name: release\nlicense: ")
    assert "| val | 3 | 6 |" in card and "people who stand" in card
    assert (
        "| val | 3 | CC0 1.0 | https://creativecommons.org/cc0 |" in files["LICENCES.md"].decode()
    )
    metadata = json.loads(files["croissant.json"])
    assert metadata["distribution"][0]["sha256"] == sums[LABELS]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "release.zip"]


def test_the_same_dataset_gives_the_same_bytes(standing: Path, tmp_path: Path) -> None:
    package(standing, tmp_path / "a.zip")
    (tmp_path / "b").mkdir()
    package(standing, tmp_path / "b/a.zip", tmp_path / "in/images/val")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b/a.zip").read_bytes()


@pytest.mark.slow
def test_metadata_is_read_by_croissants_own_library(standing: Path, tmp_path: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    package(standing, tmp_path / "release.zip")
    with zipfile.ZipFile(tmp_path / "release.zip") as archive:
        archive.extractall(tmp_path / "there")
    dataset = croissant.Dataset(tmp_path / "there/croissant.json")
    assert not dataset.metadata.issues.errors
    people = list(dataset.records("val_people"))
    for told, person in zip(people, clean()["annotations"], strict=True):
        assert told["val_people/id"] == person["id"]
        assert list(told["val_people/keypoints"]) == person["keypoints"]
    pictures = list(dataset.records("val_pictures"))
    assert {record["val_pictures/picture"].size for record in pictures} == {(640, 480)}


def test_what_the_gate_refuses_is_not_packaged(standing: Path, tmp_path: Path, run: Run) -> None:
    data = clean()
    data["annotations"][0]["keypoints"][place(data, 0, "nose").start] = 5000.0
    write(standing, data)
    code, out, err = run("package", tmp_path / "in", "--out", tmp_path / "release.zip")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "not packaged, for the gate finds errors (SPT" in err
    assert "person_keypoints_val.json: annotations[0]" in err
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    codes = err[err.index("(") + 1 : err.index(")")].split(", ")
    ignored = ", ".join(f'"{code.split()[0]}"' for code in codes)
    (tmp_path / "spinetrack.toml").write_text(f"ignore = [{ignored}]\n")
    code, out, err = run("package", tmp_path / "in", "--out", tmp_path / "release.zip")
    assert (code, err) == (0, "") and "val: 3 pictures, 6 people" in out


def test_a_rendered_dataset_keeps_its_card_and_its_ground_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dataset(
        DatasetConfig(scene="balls", count=2, size=(96, 72)),
        tmp_path / "OUT",
        open_source=ball_source,
        open_renderer=lambda backend: BallRenderer(),
    )
    (tmp_path / "spinetrack.toml").write_text('select = ["SPT0"]\n')  # balls are no bodies
    monkeypatch.chdir(tmp_path)
    package(tmp_path / "OUT", tmp_path / "release.zip")
    files = unpacked(tmp_path / "release.zip")
    kept = ("README.md", "croissant.json", "manifest.json", "ground_truth/train.parquet")
    for name in kept:
        assert files[name] == (tmp_path / "OUT" / name).read_bytes()
    assert "| train | 2 | CC0-1.0 |" in files["LICENCES.md"].decode()


def test_bad_input_is_one_line_and_nothing_is_written(
    standing: Path, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "there.zip").write_text("")
    (tmp_path / "a.tar").write_text("")
    (tmp_path / "in/images/val/000002.png").rename(tmp_path / "gone.png")
    for dataset, out, told in (
        ("in", "release.tar", "expected a name that ends in .zip"),
        ("in", "there.zip", "is there already"),
        ("in", "release.zip", "there is no picture 000002.png"),
        ("a.tar", "release.zip", "no COCO file; `spinetrack-synth convert` makes it one"),
        ("nothing", "release.zip", "cannot be read: No such file"),
        ("in", "a.tar/release.zip", "a.tar"),
    ):
        if out.startswith("a.tar/"):
            (tmp_path / "gone.png").rename(tmp_path / "in/images/val/000002.png")
        code, shown, err = run("package", tmp_path / dataset, "--out", tmp_path / out)
        assert (code, shown) == (2, "") and told in err and err.count("\n") == 1, err
    assert not list(tmp_path.glob("release*")) and not list(tmp_path.glob(".*"))


def test_a_package_is_refused_without_keypoints(tmp_path: Path) -> None:
    data = {**clean(), "categories": [{"id": 1, "name": "person"}], "annotations": []}
    write_pictures(tmp_path / "images", data)
    path = write(tmp_path / "labels.json", data)
    with pytest.raises(UserError, match="no file in it holds keypoints"):
        package(path, tmp_path / "release.zip")
