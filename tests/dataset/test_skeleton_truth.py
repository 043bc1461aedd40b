"""The skeleton in the ground truth against OpenSim and against the keypoints."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fakes import BallRenderer, ball_source
from osim_models import Reference, scale_factors

from spinetrack_synth.anatomy.model import fullbody, fullbody_path
from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.ground_truth import read_ground_truth
from spinetrack_synth.dataset.skeleton_truth import NAMES, skeleton_row
from spinetrack_synth.dataset.truth_file import TruthFile
from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.skeleton import INDEX


@pytest.fixture(scope="module")
def body_data() -> None:
    """Skips where the body data is missing and cannot be fetched."""
    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")


def person(pose: str, subject: int = 4):
    avatar = bare_avatar(sample_subject(5, subject))
    return pose_avatar(avatar, pose_coordinates(avatar.tree, library()[pose]))


@pytest.mark.parametrize("pose", ["utthita_trikonasana", "ustrasana"])
def test_frames_and_spinous_processes_are_those_of_opensims_scaled_model(
    body_data: None, pose: str
) -> None:
    posed, tree = person(pose), fullbody()
    row = skeleton_row(posed)
    reference = Reference(fullbody_path())
    reference.scale(scale_factors(tree.bodies, posed.scale_factors))
    reference.pose(posed.coordinates)
    frames = np.reshape(row["body2world"], (-1, 4, 4))
    np.testing.assert_allclose(frames, reference.bodies(tree.bodies), atol=2e-7)
    markers = dict(zip(tree.marker_names, reference.markers()))
    theirs = [markers[f"{level}_spinous"] for level in NAMES["spinous"]]
    np.testing.assert_allclose(np.reshape(row["spinous_world"], (-1, 3)), theirs, atol=2e-7)


def test_vertebrae_are_at_the_keypoints_that_mark_them_and_before_their_processes(
    body_data: None,
) -> None:
    posed = person("uttanasana")
    row = skeleton_row(posed)
    centres = dict(zip(NAMES["vertebrae"], np.reshape(row["vertebrae_world"], (-1, 3))))
    spinous = dict(zip(NAMES["spinous"], np.reshape(row["spinous_world"], (-1, 3))))
    frames = dict(zip(fullbody().bodies, np.reshape(row["body2world"], (-1, 4, 4))))
    for keypoint, level in {
        "spine_01": "L5", "spine_02": "L3", "spine_04": "T8", "spine_05": "T3", "neck": "C7",
    }.items():  # fmt: skip
        assert np.linalg.norm(posed.keypoints_world[INDEX[keypoint]] - centres[level]) < 0.002
    for level, centre in centres.items():
        forward = frames[level][:3, 0]
        assert (spinous[level] - centre) @ forward < -0.01, level
    skin = posed.skin_world.astype(float)
    for point in (*centres.values(), *spinous.values()):
        outward = skin - point
        assert np.abs(outward[np.linalg.norm(outward, axis=1).argmin()]).max() < 0.2


def test_a_dataset_has_them_in_shape_and_by_name(tmp_path: Path) -> None:
    config = DatasetConfig(scene="balls", count=2, size=(96, 72))
    run_dataset(
        config, tmp_path, open_source=ball_source, open_renderer=lambda backend: BallRenderer()
    )
    truth = read_ground_truth(tmp_path)
    row = truth.iloc[0]
    assert row["body2world"].shape == (len(truth.attrs["bodies"]), 4, 4)
    assert row["vertebrae_world"].shape == (24, 3) and row["spinous_world"].shape == (25, 3)
    assert truth.attrs["spinous"][:2] == ["S2", "L5"] and len(truth.attrs["parts"]) == 17
    labels = json.loads((tmp_path / "annotations/person_keypoints_train.json").read_bytes())
    for annotation in labels["annotations"]:
        row = truth.loc[annotation["id"]]
        assert row["visibility"].tolist() == annotation["keypoints"][2::3]
        others = row["cover_person"][row["cover"] == "person"]
        assert all(other // 1000 == annotation["image_id"] for other in others)
        assert annotation["id"] not in others

    path = tmp_path / "ground_truth/train.parquet"
    full = pq.read_table(path)
    pq.write_table(full.drop_columns(["body2world", "cover", "spinous_world"]), path)
    assert len(read_ground_truth(tmp_path)) == len(full)
    with TruthFile(tmp_path / "grown.parquet", path, 2):
        pass
    os.replace(tmp_path / "grown.parquet", path)
    assert read_ground_truth(tmp_path)["body2world"].isna().all()
