"""A network inside the package is taken where no other is given, and says what it is worth."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

import cv2
from pose_networks import blank, dot_network, draw_dots, scatter

from spinetrack_synth.coco import PERSON
from spinetrack_synth.spinepose import packaged, zoo

FRAME_HW = (288, 512)
ACCURACY = "mean OKS: body .70 on 300 people of LSPe, spine .90 on 500 rendered ones"
LINE = f"spinepose-small, the network inside the package: {ACCURACY}"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has accepted nothing, and whose package has no network."""
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(packaged, "NETWORKS", tmp_path / "networks")
    return tmp_path


def carry(stage: Path, **notes: str) -> None:
    """Put a network into the package."""
    made = dot_network(stage / "made.onnx", notes=notes)
    (stage / "networks").mkdir(exist_ok=True)
    shutil.copy(made, stage / "networks" / "spinepose-small.onnx")


def photo(path: Path) -> Path:
    points = scatter(np.random.default_rng(5), 37, (150, 110)) + np.array([150, 60])
    assert cv2.imwrite(str(path), draw_dots(blank(FRAME_HW), points, radius=1)[..., ::-1])
    labels = path.with_name("labels.json")
    person = {
        "id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "num_keypoints": 37,
        "keypoints": [n for x, y in points.tolist() for n in (x, y, 2)],
        "bbox": [*(points.min(0) - 5).tolist(), *(points.max(0) - points.min(0) + 10).tolist()],
        "area": 10_000.0,
    }  # fmt: skip
    image = {"id": 1, "file_name": path.name, "width": FRAME_HW[1], "height": FRAME_HW[0]}
    labels.write_bytes(json.dumps(
        {"images": [image], "annotations": [person], "categories": [PERSON]}
    ).encode())  # fmt: skip
    return labels


def test_without_one_everything_is_as_before(stage: Path, run: Callable) -> None:
    labels = photo(stage / "a.png")
    got = run("predict", stage / "a.png", "-o", stage / "out")
    assert got.code == 2
    assert "medium: the weights are under CC-BY-NC-4.0" in got.err
    got = run("evaluate", "--dataset", labels)
    assert got.code == 2
    assert "give a model (--model M.onnx) or saved predictions" in got.err


@pytest.mark.slow
def test_gap_too_asks_for_a_model_without_one(stage: Path, run: Callable) -> None:
    labels = photo(stage / "a.png")
    got = run("gap", "--synthetic", labels, "--real", labels, "--out", stage / "report")
    assert got.code == 2
    assert "give a model (--model M.onnx) or saved predictions" in got.err


def test_predict_and_evaluate_take_it_and_say_so(stage: Path, run: Callable) -> None:
    labels = photo(stage / "a.png")
    carry(stage, accuracy=ACCURACY)
    got = run("predict", stage / "a.png", "-o", stage / "out", "--offline")
    assert got.code == 0
    assert got.err.splitlines()[0] == LINE
    assert len(json.loads((stage / "out" / "predictions.json").read_bytes())) == 1
    asked = ("evaluate", "--dataset", labels, "--images", stage)
    got = run(*asked, "--output-format", "json")
    assert (got.code, got.err.splitlines()[0]) == (0, LINE)
    assert json.loads(got.out)["groups"]["spine"]["AP"] == pytest.approx(1)
    (stage / "networks" / "spinepose-small.md").write_text("# Card")
    got = run(*asked)
    assert got.err.startswith(f"{LINE}; more in {stage / 'networks' / 'spinepose-small.md'}\n")


@pytest.mark.slow
def test_gap_takes_it(stage: Path, run: Callable) -> None:
    labels = photo(stage / "a.png")
    carry(stage)
    sides = ("--synthetic", labels, "--real", labels, "--resamples", 50)
    folders = ("--synthetic-images", stage, "--real-images", stage)
    got = run("gap", *sides, *folders, "--out", stage / "report")
    assert got.err.splitlines()[0].endswith("package: its file tells no accuracy")
    found = json.loads((stage / "report" / "predictions_real.json").read_bytes())
    assert [result["annotation_id"] for result in found] == [1]


def test_what_is_asked_for_comes_before_it(stage: Path, run: Callable) -> None:
    photo(stage / "a.png")
    carry(stage, accuracy=ACCURACY)
    for flags in (("--mode", "small"), ("--model-version", "v1")):
        got = run("predict", stage / "a.png", *flags)
        assert (got.code, LINE in got.err) == (2, False)
        assert "the weights are under CC-BY-NC-4.0" in got.err
    zoo.models_folder().mkdir(parents=True, exist_ok=True)
    shutil.copy(stage / "made.onnx", zoo.models_folder() / zoo.by_mode("medium").file_name)
    got = run("predict", stage / "a.png", "--detector", "whole", "-o", stage / "out")
    assert (got.code, got.err) == (0, ""), "the official network was fetched before"


def test_the_one_that_ships_tells_its_accuracy_and_has_a_card() -> None:
    told: list[str] = []
    path = packaged.packaged_network(told.append)
    if path is None:
        pytest.skip("this build has none")
    assert "its file tells no accuracy" not in told[0]
    assert path.with_suffix(".md").is_file()
    assert path.stat().st_size < 10e6
