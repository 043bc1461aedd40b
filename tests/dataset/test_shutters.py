"""The shutter in what a dataset writes: as it was drawn, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from fakes import BallRenderer, ball_source

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.ground_truth import read_ground_truth
from spinetrack_synth.shot import Frame, Shutter


class Blurring(BallRenderer):
    """Says that it has drawn the movement."""

    def render(self, shot, **quality) -> Frame:
        return replace(super().render(shot, **quality), shutter_s=shot.shutter.open_s)


def opened(config: DatasetConfig):
    plain = ball_source(config)

    def shot_at(index: int):
        shot = plain(index)
        still = (None,) * len(shot.people)
        return replace(shot, shutter=Shutter(0.01, still, shot.camera))

    return shot_at


def made(out: Path, renderer) -> dict:
    config = DatasetConfig(scene="balls", count=1, size=(96, 72))
    run_dataset(config, out, open_source=opened, open_renderer=lambda backend: renderer())
    return json.loads((out / "annotations/person_keypoints_train.json").read_bytes())


def test_images_tell_their_shutter_where_the_picture_shows_it(tmp_path: Path) -> None:
    assert made(tmp_path / "a", Blurring)["images"][0]["shutter_s"] == 0.01
    assert (read_ground_truth(tmp_path / "a")["shutter_s"] == 0.01).all()
    assert "shutter_s" not in made(tmp_path / "b", BallRenderer)["images"][0]
    assert (read_ground_truth(tmp_path / "b")["shutter_s"] == 0.0).all()
