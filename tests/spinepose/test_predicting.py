"""Pictures and videos through the whole of ``predict``, with people whose places are known."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

import cv2
from matroska import write_timed_video
from pose_networks import blank, dot_network, draw_dots, marker_detector, scatter, stage_files

from spinetrack_synth.coco.listing import read_boxes
from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import NAMES, SPINE
from spinetrack_synth.spinepose import (
    PoseTracker,
    SpinePoseEstimator,
    infer_image,
    infer_video,
    open_pose_model,
    predicting,
)
from spinetrack_synth.spinepose.boxes import box_of, only_person
from spinetrack_synth.spinepose.detector import open_detector
from spinetrack_synth.spinepose.layout import find_inputs
from spinetrack_synth.spinepose.predicting import Options, predict
from spinetrack_synth.spinepose.tracking import Tracker
from spinetrack_synth.spinepose.video import Video, VideoWriter, open_video
from spinetrack_synth.spinepose.video_pose_estimator import VideoPoseEstimator

SIZE_HW = (256, 192)
FRAME_HW = (288, 512)
COLORS = [(255, 190, 60), (60, 190, 255)]
"""RGB of the frames around two people, no keypoint's colour."""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return dot_network(tmp_path / "M.onnx")


def write_video(path: Path, frames: Iterable[np.ndarray], rate_hz: float = 30.0) -> Path:
    """Frames (RGB) as a video that loses nothing where OpenCV can write one."""
    frames = iter(frames)
    first = next(frames)
    codec = cv2.VideoWriter.fourcc(*("FFV1" if path.suffix == ".mkv" else "mp4v"))
    writer = cv2.VideoWriter(str(path), codec, rate_hz, first.shape[1::-1])
    assert writer.isOpened()
    for frame in chain([first], frames):
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


FIGURE = scatter(np.random.default_rng(5), 37, (150, 110))


def photo(path: Path, shift: tuple[int, int] = (150, 60)) -> np.ndarray:
    """A picture of one person; the keypoints."""
    points = FIGURE + shift
    image = draw_dots(blank(FRAME_HW), points, radius=1)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return points


def walking(frames: int) -> tuple[Iterable[np.ndarray], np.ndarray]:
    """Frames with two people who walk to and fro and pass each other; their middles (F, 2, 2)."""
    width = FRAME_HW[1] - 130
    phase = np.arange(frames) / 150
    left = np.abs((phase % 2) - 1)
    middles = np.zeros((frames, 2, 2))
    middles[:, 0] = np.column_stack([65 + width * left, np.full(frames, 140)])
    middles[:, 1] = np.column_stack([65 + width * (1 - left), np.full(frames, 152)])

    def draw() -> Iterable[np.ndarray]:
        for frame in range(frames):
            image = blank(FRAME_HW)
            for person in (1, 0):
                corner = np.rint(middles[frame, person] - [55, 75]).astype(int)
                low, high = corner - 4, corner + np.array([114, 154])
                cv2.rectangle(image, low.tolist(), high.tolist(), COLORS[person], 2)
                draw_dots(image, FIGURE + corner, radius=1)
            yield image

    return draw(), middles


def test_a_picture_without_boxes_is_looked_at_twice(tmp_path: Path, network: Path) -> None:
    points = photo(tmp_path / "a.png")
    model = open_pose_model(network)
    picture = cv2.imread(str(tmp_path / "a.png"))
    people, box = only_person(model, picture)
    np.testing.assert_allclose(people.keypoints_px[0], points, atol=2.0)
    low, high = box[0, :2], box[0, :2] + box[0, 2:]
    assert (low < points.min(axis=0)).all()
    assert (high > points.max(axis=0)).all()
    assert box[0, 2:].prod() < 0.5 * picture.shape[0] * picture.shape[1]
    nobody, whole = only_person(model, np.zeros_like(picture))
    assert len(nobody) == 1
    np.testing.assert_array_equal(whole, [[0, 0, *FRAME_HW[::-1]]])


def test_boxes_need_enough_confident_points() -> None:
    points = np.arange(20.0).reshape(10, 2)
    assert box_of(points, np.zeros(10)) is None
    assert box_of(points, np.r_[np.ones(4), np.zeros(6)]) is None
    box = box_of(points, np.r_[np.ones(5), np.zeros(5)])
    np.testing.assert_allclose(box, [-0.4, 0.6, 8.8, 8.8])


def test_predict_writes_everything(tmp_path: Path, network: Path, run: Callable) -> None:
    points = photo(tmp_path / "a.png")
    frames, _ = walking(5)
    write_video(tmp_path / "clip.mp4", frames)
    out = tmp_path / "out"
    got = run("predict", tmp_path / "a.png", tmp_path / "clip.mp4", "--model", network, "-o", out)
    assert got.code == 0, got.err
    assert "6 people in 6 pictures" in got.out
    records = json.loads((out / "predictions.json").read_bytes())
    assert [r["image_id"] for r in records] == list(range(6))
    assert [r.get("frame") for r in records] == [None, 0, 1, 2, 3, 4]
    found = np.array(records[0]["keypoints"]).reshape(37, 3)
    np.testing.assert_allclose(found[:, :2], points, atol=2.0)
    pose = json.loads((out / "openpose" / "a_keypoints.json").read_bytes())
    assert pose["people"][0]["person_id"] == [1]
    assert pose["people"][0]["pose_keypoints_2d"] == records[0]["keypoints"]
    assert len(list((out / "openpose" / "clip").iterdir())) == 5
    rows = list(csv.DictReader((out / "angles.csv").open()))
    assert [row["file_name"] for row in rows] == ["a.png", *["clip.mp4"] * 5]
    drawn = cv2.imread(str(out / "drawn" / "a.jpg"))
    assert np.abs(drawn.astype(int) - cv2.imread(str(tmp_path / "a.png"))).max() > 100
    video = open_video(out / "drawn" / "clip.mp4")
    assert (len(list(video)), video.size_wh) == (5, FRAME_HW[::-1])
    assert not list(out.rglob(".*")), "nothing half-written is left"


def test_spine_only(tmp_path: Path, network: Path, run: Callable) -> None:
    photo(tmp_path / "a.png")
    for flags, name in (((), "all"), (("--spine-only",), "spine")):
        assert (
            run("predict", tmp_path / "a.png", "--model", network, "-o", tmp_path / name, *flags)
        ).code == 0
    whole, spine = (
        np.array(json.loads((tmp_path / n / "predictions.json").read_bytes())[0]["keypoints"])
        for n in ("all", "spine")
    )
    np.testing.assert_array_equal(spine.reshape(9, 3), whole.reshape(37, 3)[list(SPINE)])


def test_boxes_of_a_file(tmp_path: Path, network: Path, run: Callable) -> None:
    points = photo(tmp_path / "a.png", (30, 40))
    low, high = points.min(axis=0), points.max(axis=0)
    box = [*(low - 8).tolist(), *(high - low + 16).tolist()]
    coco = {
        "images": [{"id": 77, "file_name": "val/a.png"}, {"id": 5, "file_name": "b.png"}],
        "annotations": [
            {"id": 1, "image_id": 77, "category_id": 1, "bbox": box},
            {"id": 2, "image_id": 77, "category_id": 1, "bbox": [0, 0, 500, 9], "iscrowd": 1},
            {"id": 3, "image_id": 77, "category_id": 18, "bbox": [1, 1, 5, 5]},
        ],
    }
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps(coco))
    got = run(
        "predict", tmp_path / "a.png", "--model", network, "--boxes", file, "-o", tmp_path / "o"
    )
    assert got.code == 0, got.err
    records = json.loads((tmp_path / "o" / "predictions.json").read_bytes())
    assert [r["image_id"] for r in records] == [77]
    assert records[0]["bbox"] == pytest.approx(box)
    photo(tmp_path / "c.png")
    got = run("predict", tmp_path / "c.png", "--model", network, "--boxes", file)
    assert (got.code, got.err.splitlines()[-1]) == (2, f"Error: {file}: no picture named c.png")


@pytest.mark.parametrize(
    ("section", "record", "message"),
    [
        ("images", [1], "images[0]: list, expected an object"),
        ("images", {"id": "7", "file_name": "a.png"}, "images[0].id: '7', expected a whole number"),
        ("annotations", 3, "annotations[0]: int, expected an object"),
        ("annotations", {"image_id": [1], "bbox": [1, 2, 3, 4]}, "[1] is no image of this file"),
        ("annotations", {"image_id": 1, "bbox": [1, 2, 3]}, "[0].bbox: [1, 2, 3], expected x, y"),
        ("categories", "person", "categories[0]: str, expected an object"),
    ],
)
def test_faults_of_a_boxes_file_are_located(
    tmp_path: Path, section: str, record: object, message: str
) -> None:
    sound = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": []}
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps({**sound, section: [record]}))
    with pytest.raises(UserError, match=re.escape(message)):
        read_boxes(file)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.png", "--model", "M.onnx"), "none.png: no such file, folder, pattern"),
        (("*.gif", "--model", "M.onnx"), "*.gif: no such file, folder, pattern"),
        (("empty", "--model", "M.onnx"), "empty: no picture and no video in this folder"),
        (("a.png", "--model", "none.onnx"), "none.onnx: no such file"),
        (("a.png", "--model", "M.onnx", "--detector", "yolo"), "yolo: no such detector"),
        (("a.png", "--model", "M.onnx", "--detector", "M.onnx"), "no detector that is known"),
        (("broken.png", "--model", "M.onnx"), "broken.png: no picture that OpenCV can decode"),
        (("broken.mp4", "--model", "M.onnx"), "broken.mp4: OpenCV cannot open it as a video"),
        (("a.png", "--mode", "small", "--offline"), "--offline forbids fetching"),
        (("a.png", "--mode", "small"), "not for commercial use"),
        (("a.png", "--model", "M.onnx", "--boxes", "a.png"), "a.png: not a JSON file"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(
    arguments: tuple[str, ...],
    message: str,
    run: Callable,
    network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    photo(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    for name in ("broken.png", "broken.mp4"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
    got = run("predict", *arguments)
    assert got.code == 2
    last = got.err.splitlines()[-1]
    assert last.startswith("Error: ")
    assert message in last
    assert not (tmp_path / "predictions").exists()


@pytest.mark.parametrize("module", ["onnxruntime", "cv2"])
def test_a_missing_package_is_told_with_its_remedy(
    module: str, run: Callable, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, module, None)
    got = run("predict", tmp_path / "a.png", "--model", network, "-o", tmp_path / "out")
    remedy = f"Error: this needs {module}, which is not installed: pip install "
    assert (got.code, got.err.splitlines()[-1]) == (2, remedy + "'spinetrack-synth[spinepose]'")


def test_inputs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.jpg", "a.PNG", "c.mp4", "notes.txt"):
        (tmp_path / name).touch()
    names = [Path(n) for n in ("a.PNG", "b.jpg", "c.mp4")]
    assert [p.name for p in find_inputs([str(tmp_path)]).inputs if isinstance(p, Path)] == [
        n.name for n in names
    ]
    assert find_inputs(["*.jpg", "c.mp4", "webcam", "2"]).inputs == (names[1], names[2], 0, 2)


def bad_inputs(folder: Path) -> list[Path]:
    """One of each kind that cannot be looked at."""
    contents = {"text.jpg": b"a list", "empty.png": b"", "no.mp4": b"nothing", "raw.nef": b"II*\0"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def test_a_bad_picture_costs_that_picture(tmp_path: Path, network: Path, run: Callable) -> None:
    bad = bad_inputs(tmp_path)
    photo(tmp_path / "b.png")
    photo(tmp_path / "z.png")
    (tmp_path / "._b.png").write_bytes(b"\0\5\x16\7")
    out = tmp_path / "out"
    got = run("predict", tmp_path, tmp_path / "gone.jpg", "--model", network, "-o", out)
    assert got.code == 1
    assert got.out == f"2 people in 2 pictures; look into {out}\n"
    told = got.err.split("left out or broken off: 5\n")[1].splitlines()
    assert sorted(line.split(":")[0].strip() for line in told) == sorted(
        map(str, [*bad, tmp_path / "gone.jpg"])
    )
    records = json.loads((out / "predictions.json").read_bytes())
    assert [(r["image_id"], r["file_name"]) for r in records] == [(0, "b.png"), (1, "z.png")]
    assert sorted(path.stem for path in (out / "drawn").iterdir()) == ["b", "z"]
    assert sorted(path.name[0] for path in (out / "openpose").iterdir()) == ["b", "z"]
    assert len((out / "angles.csv").read_text().splitlines()) == 3


def test_long_lists_are_cut(tmp_path: Path, network: Path, run: Callable) -> None:
    photo(tmp_path / "a.png")
    for number in range(25):
        (tmp_path / f"b{number}.jpg").touch()
    got = run("predict", tmp_path, "--model", network, "-o", tmp_path / "out")
    assert (got.code, got.err.splitlines()[-1].strip()) == (1, "and 5 more")


def test_where_nothing_can_be_done_nothing_is_written(
    tmp_path: Path, network: Path, run: Callable
) -> None:
    bad = bad_inputs(tmp_path)
    got = run("predict", *bad, "--model", network, "-o", tmp_path / "out")
    assert got.code == 2
    last = got.err.splitlines()[-1]
    assert last.startswith(f"Error: {bad[0]}: no picture that OpenCV can decode")
    assert last.endswith("(and 3 other inputs that cannot be looked at)")
    assert not (tmp_path / "out").exists()


def test_a_video_that_breaks_off_is_kept_so_far(
    tmp_path: Path, network: Path, run: Callable
) -> None:
    clip = tmp_path / "clip.avi"
    with VideoWriter(clip, 30, FRAME_HW[::-1]) as writer:
        for frame in walking(20)[0]:
            writer.write(np.ascontiguousarray(frame[..., ::-1]))
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) // 2])
    out = tmp_path / "out"
    got = run("predict", clip, "--model", network, "-o", out)
    assert got.code == 1
    assert "clip.avi: breaks off after" in got.err
    frames = len({r["frame"] for r in json.loads((out / "predictions.json").read_bytes())})
    assert 3 < frames < 15
    assert len(list(open_video(out / "drawn" / "clip.mp4"))) == frames
    assert len(list((out / "openpose" / "clip").iterdir())) == frames


def listing(path: Path, images: list[dict], annotations: Iterable[dict] = ()) -> Path:
    people = {"id": 3, "name": "person", "keypoints": list(NAMES)}
    rows = [
        {"id": 100 + n, "category_id": 3, "area": 9e3, "num_keypoints": 37, "iscrowd": 0, **a}
        for n, a in enumerate(annotations)
    ]
    path.write_text(json.dumps({"images": images, "annotations": rows, "categories": [people]}))
    return path


def test_pictures_of_one_name_are_kept_apart_and_linked(
    tmp_path: Path, network: Path, run: Callable
) -> None:
    images, annotations = [], []
    for number, name in ((41, "a/1.png"), (7, "b/1.png")):
        (tmp_path / "images" / name).parent.mkdir(parents=True)
        points = photo(tmp_path / "images" / name, (100 + number, 60))
        low, high = points.min(axis=0) - 8, points.max(axis=0) + 8
        triples = np.column_stack([points, np.full(37, 2)])
        images.append({"id": number, "file_name": name, "width": 512, "height": 288})
        annotations.append(
            {
                "image_id": number,
                "bbox": [*low.tolist(), *(high - low).tolist()],
                "keypoints": triples.ravel().tolist(),
            }
        )
    labels = listing(tmp_path / "labels.json", images, annotations)
    pattern = tmp_path / "images/**/*.png"
    options: dict[str, tuple] = {"boxes": ("--boxes", labels), "ids": ("--dataset", labels), "": ()}
    for name, option in options.items():
        out = tmp_path / f"out{name}"
        got = run("predict", pattern, "--model", network, "-o", out, *option)
        assert got.code == 0, got.err
        assert (out / "drawn/a/1.jpg").is_file()
        assert (out / "openpose/b/1_keypoints.json").is_file()
        records = json.loads((out / "predictions.json").read_bytes())
        assert [r["file_name"] for r in records] == ["a/1.png", "b/1.png"]
        assert [r["image_id"] for r in records] == ([41, 7] if name else [0, 1])
        assert [r["category_id"] for r in records] == ([3, 3] if name else [1, 1])
        assert [r.get("annotation_id") for r in records] == (
            [100, 101] if name == "boxes" else [None, None]
        )
        if not name:  # ids are found by the names; the category has to be right
            records = [{**record, "category_id": 3} for record in records]
            (out / "predictions.json").write_text(json.dumps(records))
        judged = run("evaluate", "--dataset", labels, "--predictions", out / "predictions.json")
        assert judged.code == 0, judged.err
        table = [line.split() for line in judged.out.splitlines()]
        assert next(row[1] for row in table if row[:1] == ["body"]) == "1.000"


def test_pictures_that_do_not_fit_their_record(
    tmp_path: Path, network: Path, run: Callable
) -> None:
    names = ("sound", "half", "other", "nobody", "empty", "partly")
    for name in names:
        points = photo(tmp_path / f"{name}.png")
    low, high = points.min(axis=0) - 8, points.max(axis=0) + 8
    box = [*low.tolist(), *(high - low).tolist()]
    sizes = {"half": (256, 144), "other": (300, 300)}
    images = [
        {
            "id": number,
            "file_name": f"{name}.png",
            "width": sizes.get(name, (512, 288))[0],
            "height": sizes.get(name, (512, 288))[1],
        }
        for number, name in enumerate(names)
    ]
    boxes = [
        (0, box), (1, [side / 2 for side in box]), (2, box), (4, [5, 5, 0, 9]), (4, [600, 5, 9, 9]),
        (5, [9, 9, 9, -3]), (5, box),
    ]  # fmt: skip
    file = listing(tmp_path / "boxes.json", images, [{"image_id": n, "bbox": b} for n, b in boxes])
    photo(tmp_path / "unlisted.png")
    out = tmp_path / "out"
    got = run("predict", tmp_path, "--model", network, "--boxes", file, "-o", out)
    assert got.code == 1
    assert f"{tmp_path}/half.png: 512 x 288, recorded as 256 x 144: looked at in that" in got.err
    assert f"{tmp_path}/partly.png: 1 of its 2 boxes in {file} are empty" in got.err
    told = got.err.split("left out or broken off: 3\n")[1].splitlines()
    assert [line.strip() for line in told] == [
        f"{tmp_path}/empty.png: 2 of its 2 boxes in {file} are empty or outside of it",
        f"{tmp_path}/other.png: 512 x 288, but recorded as 300 x 300: its boxes and keypoints are "
        "of another picture",
        f"{file}: no picture named unlisted.png",
    ]
    found = {r["file_name"]: r for r in json.loads((out / "predictions.json").read_bytes())}
    assert sorted(found) == ["half.png", "partly.png", "sound.png"]
    half, sound = (
        np.reshape(found[n]["keypoints"], (37, 3))[:, :2] for n in ("half.png", "sound.png")
    )
    np.testing.assert_allclose(sound, points, atol=2)
    assert np.median(np.abs(half - points / 2)) < 2
    assert (out / "openpose/nobody_keypoints.json").is_file()


def test_a_network_that_has_no_answer_to_one_picture_costs_that_one(
    tmp_path: Path, network: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*arguments: Any, name: str) -> Any:
        if name.endswith("b.png"):
            raise UserError(f"{name}: no numbers")
        return whole_look(*arguments, name=name)

    whole_look = predicting.look
    monkeypatch.setattr(predicting, "look", look)
    for letter in "abc":
        photo(tmp_path / f"{letter}.png")
    got = run("predict", tmp_path, "--model", network, "-o", tmp_path / "out")
    assert (got.code, "2 people in 2 pictures" in got.out) == (1, True)
    assert f"{tmp_path}/b.png: no numbers" in got.err


def test_one_record_is_not_taken_for_two_pictures(
    tmp_path: Path, network: Path, run: Callable
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        photo(tmp_path / name / "1.png")
    file = listing(tmp_path / "ids.json", [{"id": 1, "file_name": "a/1.png"}])
    out = tmp_path / "out"
    got = run("predict", tmp_path / "*/1.png", "--model", network, "--dataset", file, "-o", out)
    assert got.code == 1
    assert f"{tmp_path}/b/1.png: {file} names one such picture, {tmp_path}/a/1.png" in got.err


def test_videos_are_followed_by_their_own_times(
    tmp_path: Path, network: Path, run: Callable
) -> None:
    times_ms = (0, 33, 67, 400, 800, 833)
    frames = [
        draw_dots(blank(FRAME_HW), FIGURE + np.array([100 + t // 20, 60]), 1) for t in times_ms
    ]
    clip = write_timed_video(tmp_path / "clip.mkv", frames, times_ms)
    out = tmp_path / "out"
    got = run("predict", clip, "--model", network, "-o", out)
    assert got.code == 0, got.err
    assert f"{clip}: 6 frames (0.9 s), ids given: 1" in got.err
    rows = list(csv.DictReader((out / "angles.csv").open()))
    assert [round(1000 * float(row["time_s"])) for row in rows] == list(times_ms)
    drawn = open_video(out / "drawn" / "clip.mp4")
    assert len(list(drawn)) / drawn.rate_hz == pytest.approx(0.867, abs=0.04)


def test_flags_of_the_package(tmp_path: Path, network: Path, run: Callable) -> None:
    photo(tmp_path / "a.png")
    write_video(tmp_path / "clip.mp4", walking(3)[0])
    own = ("--model", network, "--max-detections", 2, "-m", "small", "--model-version", "v1")
    got = run("predict", "-i", tmp_path / "a.png", "-o", tmp_path / "v.jpg", *own)
    assert got.code == 0, got.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["M.onnx", "a.png", "clip.mp4", "v.jpg"]
    assert cv2.imread(str(tmp_path / "v.jpg")).shape == (*FRAME_HW, 3)
    got = run(
        "predict", "--input_path", tmp_path / "clip.mp4", "--vis-path", tmp_path / "v.mp4",
        "--save-path", tmp_path / "pose.json", "--nosmooth", "--spine-only", *own,
    )  # fmt: skip
    assert got.code == 0, got.err
    assert len(list(open_video(tmp_path / "v.mp4"))) == 3
    poses = sorted((tmp_path / "pose.json").iterdir())
    assert [path.name for path in poses] == [f"frame_0000{frame}.json" for frame in range(3)]
    person = json.loads(poses[0].read_bytes())["people"][0]
    assert len(person["pose_keypoints_2d"]) == 27
    got = run("predict", tmp_path / "a.png", "-s", tmp_path / "p.json", *own)
    assert got.code == 0, got.err
    assert len(json.loads((tmp_path / "p.json").read_bytes())["people"]) == 1
    assert not Path("predictions").exists()
    assert run("predict", "-V").out == run("--version").out
    assert run("predict").code == 2


def test_each_video_is_opened_once_and_those_to_come_are_taken_to_be_as_long(
    tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo(tmp_path / "a.png")
    clips = [write_video(tmp_path / f"{n}.mp4", walking(n)[0]) for n in (4, 2)]
    opened: list[Path] = []

    def opening(source: Path) -> Video:
        opened.append(source)
        return open_video(source)

    monkeypatch.setattr(predicting, "open_video", opening)
    told: list[tuple[int, int]] = []
    inputs = [tmp_path / "a.png", *clips]
    predict(open_pose_model(network), inputs, tmp_path / "out", progress=lambda *x: told.append(x))
    assert opened == clips
    assert told == [(1, 3), (2, 9), (3, 9), (4, 9), (5, 9), (6, 7), (7, 7)]


def test_ctrl_c_keeps_what_is_done(tmp_path: Path, network: Path) -> None:
    photo(tmp_path / "a.png")
    clip = write_video(tmp_path / "clip.mp4", walking(6)[0])
    before = signal.getsignal(signal.SIGINT)

    def press(done: int, wanted: int) -> None:
        if done == 3:
            signal.raise_signal(signal.SIGINT)

    inputs = [tmp_path / "a.png", clip, tmp_path / "a.png"]
    out = tmp_path / "out"
    summary = predict(open_pose_model(network), inputs, out, progress=press)
    assert (summary.interrupted, summary.pictures) == (True, 3)
    assert len(json.loads((out / "predictions.json").read_bytes())) == 3
    assert len(list(open_video(out / "drawn" / "clip.mp4"))) == 2
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(int(cv2.__version__[0]) < 5, reason="OpenCV 4 has a limit of 32,766 pixels")
def test_odd_sizes(tmp_path: Path, network: Path, run: Callable) -> None:
    sizes = {"dot": (1, 1), "line": (40000, 2), "strip": (70000, 1)}
    for name, (width, height) in sizes.items():
        assert cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((height, width, 3), np.uint8))
    out = tmp_path / "out"
    got = run("predict", tmp_path / "*.png", "--model", network, "-o", out)
    assert got.code == 0, got.err
    assert sorted(p.name for p in (out / "drawn").iterdir()) == ["dot.jpg", "line.jpg", "strip.png"]


def test_without_a_detector_nobody_is_doubled(network: Path) -> None:
    estimator = VideoPoseEstimator(open_pose_model(network), None, Tracker())
    counts = []
    for frame in range(6):
        picture = draw_dots(blank(FRAME_HW), FIGURE + np.array([30, 60]), radius=1)
        if frame != 0:  # somebody who comes later is no second person
            picture = draw_dots(blank(FRAME_HW), FIGURE + np.array([300, 60]), radius=1)
        if frame > 2:
            draw_dots(picture, FIGURE + np.array([30, 60]), radius=1)
        counts.append(len(estimator(np.ascontiguousarray(picture[..., ::-1]), frame / 30)))
    assert counts == [1] * 6


def test_the_api_that_users_know(tmp_path: Path, network: Path) -> None:
    points = photo(tmp_path / "a.png")
    image = cv2.imread(str(tmp_path / "a.png"))
    estimator = SpinePoseEstimator(mode="small", detector="whole", model=network)
    keypoints, scores = estimator(image)
    assert (keypoints.shape, scores.shape) == ((1, 37, 2), (1, 37))
    np.testing.assert_array_equal(keypoints, estimator.predict(image)[0])
    low, high = points.min(axis=0) - 9, points.max(axis=0) + 9
    boxed, _ = estimator(image, bboxes=[np.concatenate([low, high])])
    np.testing.assert_allclose(boxed[0], points, atol=2.0)
    drawn = estimator.visualize(image, keypoints, scores)
    assert drawn.shape == image.shape
    assert (drawn != image).any()
    found = infer_image(
        tmp_path / "a.png", vis_path=str(tmp_path / "d.png"), detector="whole", model=network
    )
    np.testing.assert_array_equal(found[0, :, :2], keypoints[0])
    assert (cv2.imread(str(tmp_path / "d.png")) == drawn).all()
    spine = infer_image(tmp_path / "a.png", spine_only=True, detector="whole", model=network)
    np.testing.assert_array_equal(spine, found[:, list(SPINE)])


def test_videos_without_a_window(tmp_path: Path, network: Path) -> None:
    frames, _ = walking(12)
    clip = write_video(tmp_path / "clip.mkv", frames)
    detector = marker_detector(tmp_path / "D.onnx", COLORS, FRAME_HW)
    found = infer_video(
        clip, vis_path=tmp_path / "drawn.mp4", detector=detector, model=network, use_smoothing=False
    )
    assert [people.shape for people in found] == [(2, 37, 3)] * 12
    assert len(list(open_video(tmp_path / "drawn.mp4"))) == 12
    tracker = PoseTracker(
        SpinePoseEstimator, mode="small", detector=detector, model=network, det_frequency=3
    )
    for frame, people in zip(open_video(clip), found):
        keypoints, scores = tracker(frame)
        assert keypoints.shape == (2, 37, 2)
        assert tracker.ids.tolist() == [1, 2]
        assert np.median(np.abs(keypoints - people[..., :2])) < 2
        assert tracker.visualize(frame, keypoints, scores).shape == frame.shape


def test_without_a_detector_somebody_who_left_is_found_again(network: Path) -> None:
    estimator = VideoPoseEstimator(open_pose_model(network), None, Tracker())
    counts, ids = [], []
    for frame in range(12):
        picture = np.zeros((*FRAME_HW, 3), np.uint8) if 4 <= frame < 8 else blank(FRAME_HW)
        if picture.any():
            draw_dots(picture, FIGURE + np.array([60 if frame < 4 else 330, 60]), radius=1)
        people = estimator(np.ascontiguousarray(picture[..., ::-1]), frame / 30)
        counts.append(len(people))
        ids += people.ids.tolist()
    assert counts == [1] * 4 + [0] * 4 + [1] * 4
    assert ids == [1] * 4 + [2] * 4, "so far away it is somebody else"


def test_pictures_without_anybody(tmp_path: Path, network: Path, run: Callable) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), blank(FRAME_HW))
    write_video(tmp_path / "clip.mkv", [blank(FRAME_HW)] * 3)
    detector = marker_detector(tmp_path / "D.onnx", COLORS, FRAME_HW)
    out = tmp_path / "out"
    inputs = [tmp_path / "a.png", tmp_path / "clip.mkv"]
    got = run("predict", *inputs, "--model", network, "--detector", detector, "-o", out)
    assert (got.code, got.out) == (0, f"0 people in 4 pictures; look into {out}\n")
    assert json.loads((out / "predictions.json").read_bytes()) == []
    assert json.loads((out / "openpose" / "a_keypoints.json").read_bytes())["people"] == []


def test_a_video_that_changes_its_size_is_told(tmp_path: Path) -> None:
    video = open_video(write_video(tmp_path / "clip.mkv", [blank(FRAME_HW)] * 3))
    frames = iter([(True, blank((10, 20)))])

    class Capture:
        def read(self) -> tuple[bool, np.ndarray]:
            return next(frames)

        def release(self) -> None:
            pass

    changing = dataclasses.replace(video, capture=Capture())
    with pytest.raises(UserError, match="frame 1 is 20 x 10, the first is 512 x 288"):
        list(changing)


def test_a_broken_off_video_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    frame = np.zeros((*FRAME_HW, 3), np.uint8)
    with pytest.raises(RuntimeError), VideoWriter(path, 30, FRAME_HW[::-1]) as writer:
        writer.write(frame)
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with VideoWriter(path, 30, FRAME_HW[::-1]) as writer:
        writer.write(frame)
        with pytest.raises(ValueError, match="a frame of"):
            writer.write(frame[:100])
    assert len(list(open_video(path))) == 1


def test_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs/spinepose.md").read_text()
    block = page.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(compile(block, "docs/spinepose.md", "exec"), names)
    assert names["keypoints"].shape == (1, 37, 2)
    assert names["people"].ids.tolist() == [1]
    assert names["spines"].shape == (1, 9, 3)
    assert len(names["frames"]) == 6
    assert (tmp_path / "drawn.mp4").is_file()


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(
    "count",
    [pytest.param(300, marks=pytest.mark.slow), pytest.param(1000, marks=pytest.mark.exhaustive)],
)
def test_a_long_video(tmp_path: Path, count: int) -> None:
    """Flat memory, ids that stay while people pass each other again and again, a video that
    plays."""
    frames, middles = walking(count)
    clip = write_video(tmp_path / "clip.mkv", frames)
    options = Options(
        detector=open_detector(marker_detector(tmp_path / "D.onnx", COLORS, FRAME_HW), threads=1)
    )
    memory: dict[int, float] = {}

    def watch(done: int, wanted: int) -> None:
        if done in (count // 2, count):
            memory[done] = resident_mb()

    network = dot_network(tmp_path / "M.onnx", size_hw=(128, 96))  # small, to be quick
    seen = predict(open_pose_model(network, threads=1), [clip], tmp_path / "out", options, watch)
    assert seen.pictures == count
    assert memory[count] - memory[count // 2] < 15, memory
    records = json.loads((tmp_path / "out" / "predictions.json").read_bytes())
    of_person: list[set[int]] = [set(), set()]
    for record in records:
        x, y, width, height = record["bbox"]
        middle = np.array([x + width / 2, y + height / 2])
        away = np.linalg.norm(middles[record["frame"]] - middle, axis=1)
        if np.ptp(middles[record["frame"], :, 0]) > 130:  # where it is plain who is who
            of_person[int(away.argmin())].add(record["track_id"])
    assert [len(ids) for ids in of_person] == [1, 1], of_person
    assert of_person[0] != of_person[1]
    assert sum(1 for _ in open_video(tmp_path / "out" / "drawn" / "clip.mp4")) == count
