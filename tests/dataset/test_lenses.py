"""Lens and film in what a dataset writes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fakes import BallRenderer, bent_source
from PIL import Image

from spinetrack_synth.camera import Camera
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.ground_truth import read_ground_truth
from spinetrack_synth.dataset.truth_file import TruthFile
from spinetrack_synth.shot import Frame


def make(out: Path, renderer=BallRenderer, **settings) -> dict:
    config = DatasetConfig(scene="balls", count=3, size=(200, 150), **settings)
    run_dataset(config, out, open_source=bent_source, open_renderer=lambda backend: renderer())
    return json.loads((out / "annotations/person_keypoints_train.json").read_bytes())


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("lenses") / "out"
    return out, make(out)


def test_records_tell_lens_and_film_where_there_are_any(made) -> None:
    _, labels = made
    bent, plain, _ = labels["images"]
    assert bent["distortion"]["model"] == "brown_conrady"
    unit = np.hypot(200, 150) / 2 / bent["K"][0][0]
    np.testing.assert_allclose(bent["distortion"]["coefficients"][0], -0.1 / unit**2)
    np.testing.assert_allclose(bent["aperture_m"], bent["K"][0][0] * 36 / 200 / 1000 / 2)
    assert bent["film"] == {
        "iso": 800, "temperature_stops": 0.2, "tint_stops": 0.0, "vignetting_stops": 0.7,
        "jpeg_quality": 70, "exposure_stops": -1.0,
    }  # fmt: skip
    assert not {"distortion", "aperture_m", "focus_m", "film"} & set(plain)


def test_ground_truth_has_them_as_typed_columns(made) -> None:
    out, labels = made
    schema = pq.read_schema(out / "ground_truth/train.parquet")
    assert str(schema.field("distortion").type) == "fixed_size_list<element: double>[5]"
    assert str(schema.field("iso").type) == "double"
    assert str(schema.field("jpeg_quality").type) == "int64"
    truth = read_ground_truth(out).groupby("image_id").first()
    assert truth["distortion"][0].tolist() == labels["images"][0]["distortion"]["coefficients"]
    assert truth["distortion"][1].tolist() == [0.0] * 5
    assert truth["focus_m"][0] == labels["images"][0]["focus_m"]
    assert truth["aperture_m"][1] == 0
    assert truth.loc[1, ["focus_m", "iso", "jpeg_quality"]].isna().all()
    assert truth["exposure_stops"].tolist() == [-1.0, 0.0, -1.0]
    assert truth["jpeg_quality"][2] == 70


def test_keypoints_are_where_opencv_projects_them(made) -> None:
    cv2 = pytest.importorskip("cv2")
    out, labels = made
    truth = read_ground_truth(out)
    for annotation in labels["annotations"]:
        image = labels["images"][annotation["image_id"]]
        coefficients = image.get("distortion", {"coefficients": [0.0] * 5})["coefficients"]
        world2cam, K = np.array(image["world2cam"]), np.array(image["K"])
        turn, _ = cv2.Rodrigues(world2cam[:3, :3])
        points = truth["keypoints_world"][annotation["id"]]
        lens = np.array(coefficients)
        pixels, _ = cv2.projectPoints(points, turn, world2cam[:3, 3], K, lens)
        x, y, v = np.reshape(annotation["keypoints"], (37, 3)).T
        labelled = v > 0
        assert labelled.sum() > 20
        off = np.stack([x, y], axis=1)[labelled] - pixels[labelled, 0]
        assert np.abs(off).max() < 1e-3


def test_a_film_says_how_good_its_jpeg_is(made, tmp_path) -> None:
    def tables(path: Path) -> int:
        return sum(Image.open(io.BytesIO(path.read_bytes())).quantization[0])

    out, _ = made
    assert tables(out / "images/train/000000.jpg") > 2 * tables(out / "images/train/000001.jpg")
    lossless = make(tmp_path / "png", format="png")
    assert "jpeg_quality" not in lossless["images"][0]["film"]
    assert read_ground_truth(tmp_path / "png")["jpeg_quality"].isna().all()


def test_ground_truth_of_before_there_were_lenses_is_read_and_grows(made, tmp_path) -> None:
    out, _ = made
    path = out / "ground_truth/train.parquet"
    table = pq.read_table(path)
    old = table.drop_columns(["distortion", "aperture_m", "focus_m", "iso"])
    (tmp_path / "ground_truth").mkdir()
    pq.write_table(old, tmp_path / "ground_truth/train.parquet")
    assert all((k == 0).all() for k in read_ground_truth(tmp_path)["distortion"])
    with TruthFile(tmp_path / "grown.parquet", tmp_path / "ground_truth/train.parquet", 3):
        pass
    grown = pq.read_table(tmp_path / "grown.parquet")
    assert grown.num_rows == table.num_rows
    assert grown["distortion"].null_count == table.num_rows


class Pinhole(BallRenderer):
    """Knows no lens, and says so."""

    def render(self, shot, **quality) -> Frame:
        camera: Camera = shot.camera.pinhole()
        return replace(super().render(replace(shot, camera=camera), **quality), camera=camera)


def test_a_renderer_without_lenses_is_labelled_as_it_drew(tmp_path) -> None:
    labels = make(tmp_path / "out", Pinhole)
    assert not any({"distortion", "aperture_m"} & set(image) for image in labels["images"])
    assert all((k == 0).all() for k in read_ground_truth(tmp_path / "out")["distortion"])
    assert "film" in labels["images"][0]
