"""Datasets drawn through lenses: right ones raise nothing, wrong ones are told of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import BallRenderer, bent_source

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.validation.body_fits import Bodies, bodies_of
from spinetrack_synth.validation.engine import validate
from spinetrack_synth.validation.findings import Work
from spinetrack_synth.validation.registry import builtin_rules, choose
from spinetrack_synth.validation.release import read

RULES = [rule for rule in choose(builtin_rules(), (), (), ()) if rule.family != "body"]
LABELS = "annotations/person_keypoints_train.json"


@pytest.fixture(scope="module")
def bent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bent") / "out"
    config = DatasetConfig(scene="balls", count=3, size=(320, 240), seed=3, format="png")
    run_dataset(config, out, open_source=bent_source, open_renderer=lambda name: BallRenderer())
    return out


def test_a_distorted_dataset_is_clean(bent: Path) -> None:
    report = validate([read(bent / LABELS, pictures=bent / "images")], RULES)
    assert [(f.code, f.place, f.message) for f in report.findings] == []
    assert not [skip for skip in report.skipped if skip.rule.family == "ground truth"]


def straightened(images: list[dict[str, Any]]) -> None:
    del images[0]["distortion"]


def folded(images: list[dict[str, Any]]) -> None:
    images[0]["distortion"]["coefficients"][0] = -3.0


def shortened(images: list[dict[str, Any]]) -> None:
    images[0]["distortion"]["coefficients"].pop()


@pytest.mark.parametrize(
    ("plant", "code", "message"),
    [
        (straightened, "SPT554", "differs from the camera in the ground truth"),
        (folded, "SPT113", "folds inside the picture"),
        (shortened, "SPT113", "expected the five coefficients k1, k2, p1, p2, k3"),
    ],
)
def test_a_wrong_distortion_is_found(
    bent: Path, tmp_path: Path, plant: Callable[[list[dict[str, Any]]], None], code, message
) -> None:
    for folder in ("annotations", "ground_truth"):
        shutil.copytree(bent / folder, tmp_path / folder)
    data = json.loads((tmp_path / LABELS).read_text())
    plant(data["images"])
    (tmp_path / LABELS).write_text(json.dumps(data))
    rules = choose(RULES, ("ground truth", "schema"), (), ())
    (finding,) = validate([read(tmp_path / LABELS)], rules).findings
    assert (finding.code, finding.place.partition(" (")[0]) == (code, "images[0].distortion")
    assert message in finding.message


def test_bodies_are_fitted_to_what_a_pinhole_would_see(bent: Path) -> None:
    dataset = read(bent / LABELS)
    bodies: Bodies = bodies_of(dataset, Work())
    assert len(bodies.lenses) == len(bodies.rows) - sum(
        annotation["image_id"] == 1 for annotation in dataset.annotations
    )
    for person, camera in bodies.lenses.items():
        seen = bodies.sightings.visible[person]
        straight = bodies.sightings.points_px[person]
        labelled = np.reshape(dataset.annotations[bodies.rows[person]]["keypoints"], (37, 3))
        back = bodies.in_picture(person, straight)
        np.testing.assert_allclose(back[seen], labelled[seen, :2], atol=1e-6)
        plain = camera.pinhole().rays(straight)
        assert np.abs(plain - camera.rays(labelled[:, :2]))[seen].max() < 1e-9
        bent_px = np.linalg.norm(straight - labelled[:, :2], axis=1)[seen]
        assert bent_px.max() > 1
