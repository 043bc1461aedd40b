"""Datasets of clips: what pictures and people are called, growing, videos, refusals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from commands import contents
from fakes import BallRenderer, ball_person, ball_shot

from spinetrack_synth.camera import look_at
from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.dataset import DatasetConfig, default_count, run_dataset
from spinetrack_synth.dataset.source import frame_by_frame, scene_source
from spinetrack_synth.dataset.state import describe
from spinetrack_synth.dataset.videos import write_videos
from spinetrack_synth.errors import UserError
from spinetrack_synth.shot import Shot

CONFIG = DatasetConfig(
    scene="balls", count=9, seed=3, size=(96, 72), format="png", views=2, sequence=3, fps=4
)


@dataclass(frozen=True)
class Wave:
    """A ball person who raises an arm."""

    number: int
    motions = ("fixed", "orbit")

    def moment(self, frame: int) -> Shot:
        person = ball_person(f"ball-{self.number}", arm_flex_l=0.5 + 0.4 * frame)
        shot = ball_shot(person, size=(96, 72), focal_px=80)
        side = look_at((1, 1.2, 4), (0, 0.9, 0), focal_px=80, width=96, height=72)
        return replace(shot, further=(side,))


class Interrupted(Exception):
    pass


def make(out: Path, *, stop_after: int = 0, clips: list[int] | None = None, **settings) -> int:
    made = [] if clips is None else clips

    def clip_at(number: int) -> Wave:
        made.append(number)
        return Wave(number)

    def progress(done: int, wanted: int) -> None:
        if stop_after and done == stop_after:
            raise Interrupted

    return run_dataset(
        replace(CONFIG, **settings),
        out,
        progress,
        open_source=lambda config: frame_by_frame(clip_at, config),
        open_renderer=lambda backend: BallRenderer(),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sequences") / "out"
    clips: list[int] = []
    make(out, clips=clips)
    assert clips == [0, 1]
    return out


def test_pictures_say_which_frame_of_which_clip_they_are(made: Path) -> None:
    dataset = CocoDataset.read(made / "annotations/person_keypoints_train.json")
    told = [
        (i["sequence"], i["frame"], i["time_s"], i["view"], i["moment"], i["camera_motion"])
        for i in dataset.images
    ]
    assert told[:4] == [
        ("s3-000000", 0, 0.0, 0, 0, "fixed"),
        ("s3-000000", 0, 0.0, 1, 0, "orbit"),
        ("s3-000000", 1, 0.25, 0, 1, "fixed"),
        ("s3-000000", 1, 0.25, 1, 1, "orbit"),
    ]
    assert told[6] == ("s3-000001", 0, 0.0, 0, 3, "fixed")
    tracks = {a["track_id"]: a["subject"] for a in dataset.annotations}
    assert tracks == {1: "ball-0", 1001: "ball-1"}
    assert all(tracks[a["track_id"]] == a["subject"] for a in dataset.annotations)


@pytest.mark.parametrize("after", [1, 4, 8])
def test_stopped_and_grown_it_ends_in_the_same_files(
    made: Path, tmp_path: Path, after: int
) -> None:
    with pytest.raises(Interrupted):
        make(tmp_path, stop_after=after)
    make(tmp_path, count=after)
    assert make(tmp_path) == 9 - after
    assert contents(tmp_path) == contents(made)


def test_videos_hold_every_frame_of_each_clip_and_camera(made: Path, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    make(tmp_path)
    written = write_videos(tmp_path, "train", 4)
    assert [path.name for path in written] == [
        "s3-000000_0.mp4", "s3-000000_1.mp4", "s3-000001_0.mp4", "s3-000001_1.mp4",
    ]  # fmt: skip
    frames = []
    for path in written:
        video = cv2.VideoCapture(str(path))
        count = 0
        while video.read()[0]:
            count += 1
        assert video.get(cv2.CAP_PROP_FPS) == 4
        frames.append(count)
    assert frames == [3, 3, 2, 1]  # 9 pictures
    assert make(tmp_path) == 0  # videos are in nobody's way
    assert make(tmp_path, count=12) == 3


def test_a_run_of_other_clips_is_another_run(made: Path) -> None:
    for settings, message in (
        ({"sequence": 4}, "sequence 3 there, 4 here"),
        ({"fps": 5.0}, "fps 4 there, 5.0 here"),
        ({"sequence": 1}, "sequence 3 there, none here"),
    ):
        with pytest.raises(UserError, match=message):
            make(made, **settings)
    single = describe(replace(CONFIG, sequence=1))
    assert not {"sequence", "fps"} & single.keys()


def test_a_run_that_names_no_number_makes_a_whole_clip() -> None:
    assert default_count(views=4, sequence=1) == 12
    assert default_count(views=1, sequence=60) == 60
    assert default_count(views=2, sequence=4) == 12


def test_motions_shorter_than_the_clip_are_told_before_anything_is_drawn(tmp_path: Path) -> None:
    motion = tmp_path / "nod.mot"
    rows = "".join(f"{t:.2f}\t{10 * np.sin(t):.4f}\n" for t in np.arange(0, 1.0, 0.05))
    motion.write_text(
        "nod\nversion=1\nnRows=20\nnColumns=2\ninDegrees=yes\nendheader\ntime\tpelvis_tilt\n" + rows
    )
    config = DatasetConfig(scene="yoga", count=1, motions=(str(motion),), sequence=61, fps=30.0)
    with pytest.raises(UserError, match=r"lasts 2.00 s and no motion does, .*'nod', 0.95 s"):
        scene_source(config)
