"""The dataset card and the metadata: what they say is what the folder holds."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from fakes import BallRenderer, ball_source

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.card import write_card
from spinetrack_synth.dataset.licences import coco_licences, ingredients


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two splits of balls."""
    out = tmp_path_factory.mktemp("made") / "OUT"
    for split, seed, count in (("train", 3, 4), ("val", 4, 2)):
        run_dataset(
            DatasetConfig(scene="balls", count=count, seed=seed, split=split, size=(64, 48)), out,
            open_source=ball_source, open_renderer=lambda backend: BallRenderer(),
        )  # fmt: skip
    return out


def test_the_card_counts_what_is_there(made: Path) -> None:
    card = (made / "README.md").read_text()
    for split, pictures in (("train", 4), ("val", 2)):
        labels = json.loads((made / f"annotations/person_keypoints_{split}.json").read_text())
        people = len(labels["annotations"])
        assert f"| {split} | {pictures} | {people} | balls |" in card
    assert card.startswith("---\npretty_name: spinetrack-synth-balls\nlicense: cc0-1.0\n")
    assert "size_categories: [n<1K]" in card


def test_images_name_the_licence_of_their_file(made: Path) -> None:
    labels = json.loads((made / "annotations/person_keypoints_train.json").read_text())
    (licence,) = labels["licenses"]
    assert licence["name"] == "CC0-1.0"
    assert {image["license"] for image in labels["images"]} == {licence["id"]}


def test_metadata_is_read_by_croissants_own_library(made: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    pandas = pytest.importorskip("pandas")
    dataset = croissant.Dataset(made / "croissant.json")
    assert not dataset.metadata.issues.errors
    people = list(dataset.records("train_people"))
    truth = pandas.read_parquet(made / "ground_truth/train.parquet")
    assert len(people) == len(truth)
    assert [person["train_people/annotation_id"] for person in people] == list(truth.annotation_id)
    names = {record["train_pictures/file_name"].decode() for record in
             dataset.records("train_pictures")}  # fmt: skip
    assert names == {path.name for path in (made / "images/train").iterdir()}


def test_metadata_holds_the_checksums_of_the_files(made: Path) -> None:
    metadata = json.loads((made / "croissant.json").read_text())
    told = {file["contentUrl"]: file["sha256"] for file in metadata["distribution"]
            if file["@type"] == "cr:FileObject"}  # fmt: skip
    assert len(told) == 4
    for name, checksum in told.items():
        assert sha256((made / name).read_bytes()).hexdigest() == checksum


def test_own_files_are_listed_and_their_terms_left_to_their_owner(made: Path) -> None:
    split = {"scene": "gym|x", "motion_sha256": {"walk.bvh": "0"}, "prop_sha256": {"bench": "1"}}
    assert [part.what for part in ingredients(split)][-2:] == ["own file", "own file"]
    (licence,) = coco_licences(split)
    assert licence["name"].endswith("own files by their terms: walk.bvh, bench")
    manifest = json.loads((made / "manifest.json").read_text())
    card = write_card(made, {"train": manifest["splits"]["train"] | split})
    assert "license: other" in card
    assert "| own file | walk.bvh | to be filled in |" in card
    assert "gym\\|x" in card
