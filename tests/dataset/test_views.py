"""Datasets of several views of every moment: triangulated, grown, stopped, refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import contents
from fakes import BallRenderer, ball_source
from triangulation import triangulated

from spinetrack_synth.camera import look_at
from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.dataset import DatasetConfig, as_made, run_dataset
from spinetrack_synth.dataset.source import view_by_view
from spinetrack_synth.dataset.state import describe
from spinetrack_synth.errors import UserError
from spinetrack_synth.shot import Shot
from spinetrack_synth.skeleton import MIRROR

VIEWS = 3
CONFIG = DatasetConfig(scene="balls", count=6, seed=3, size=(160, 120), format="png", views=VIEWS)


def posed_once(config: DatasetConfig, posed: list[int]):
    """Ball people seen from three sides; ``posed`` lists the moments that were made."""
    single = ball_source(config)

    def moment_at(index: int) -> Shot:
        posed.append(index)
        shot = single(index)
        further = [
            look_at(position, (0, 0.9, 0), focal_px=120, width=160, height=120)
            for position in ((1.5, 1.6, 3.6), (-2.4, 0.8, 2.8))
        ]
        return replace(shot, further=tuple(further))

    return view_by_view(moment_at, config.views)


class Interrupted(Exception):
    pass


def make(out: Path, *, stop_after: int = 0, posed: list[int] | None = None, **settings) -> int:
    def progress(done: int, wanted: int) -> None:
        if done == stop_after:
            raise Interrupted

    return run_dataset(
        replace(CONFIG, **settings),
        out,
        progress if stop_after else (lambda done, wanted: None),
        open_source=lambda config: posed_once(config, [] if posed is None else posed),
        open_renderer=lambda backend: BallRenderer(),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("views") / "out"
    make(out)
    return out


def read(out: Path) -> tuple[CocoDataset, pd.DataFrame]:
    truth = pd.read_parquet(out / "ground_truth/train.parquet").set_index("annotation_id")
    return CocoDataset.read(out / "annotations/person_keypoints_train.json"), truth


def farthest_mm(dataset: CocoDataset, truth: pd.DataFrame, order: list[int] | None = None) -> float:
    """The largest distance between points triangulated from the 2D labels and those in the ground
    truth, over all people; ``order`` takes other keypoints from every second view."""
    farthest, compared = 0.0, 0
    rows = {track: [] for track in {a["track_id"] for a in dataset.annotations}}
    for row, annotation in enumerate(dataset.annotations):
        rows[annotation["track_id"]].append(row)
    for seen in rows.values():
        pictures = [dataset.image_of[dataset.annotations[row]["image_id"]] for row in seen]
        keypoints = np.array([dataset.keypoints[row] for row in seen])
        if order is not None:
            keypoints[1::2] = keypoints[1::2][:, order]
        cameras = [np.array(p["K"]) @ np.array(p["world2cam"])[:3] for p in pictures]
        points, known = triangulated(np.array(cameras), keypoints[..., :2], keypoints[..., 2] > 0)
        world = truth.loc[dataset.annotations[seen[0]]["id"], "keypoints_world"].reshape(-1, 3)
        if known.any():
            apart = np.linalg.norm(points[known] - world[known], axis=1)
            farthest, compared = max(farthest, float(apart.max())), compared + int(known.sum())
    assert compared > 100
    return 1000 * farthest


def test_triangulated_labels_are_the_ground_truth(made: Path) -> None:
    dataset, truth = read(made)
    assert farthest_mm(dataset, truth) < 0.5
    swapped = [int(i) for i in MIRROR]
    assert farthest_mm(dataset, truth, swapped) > 50  # left for right would be seen


def test_the_camera_of_another_view_would_be_seen(made: Path) -> None:
    dataset, truth = read(made)
    for image in dataset.images:
        other = dataset.images[image["moment"] * VIEWS + (image["view"] + 1) % VIEWS]
        image["swapped"] = other["world2cam"]
    for image in dataset.images:
        image["world2cam"] = image.pop("swapped")
    assert farthest_mm(dataset, truth) > 50


def test_pictures_say_which_moment_and_people_whom_they_are(made: Path) -> None:
    dataset, truth = read(made)
    told = [(image["id"], image["moment"], image["view"]) for image in dataset.images]
    assert told == [(0, 0, 0), (1, 0, 1), (2, 0, 2), (3, 1, 0), (4, 1, 1), (5, 1, 2)]
    people: dict[int, set] = {}
    for annotation in dataset.annotations:
        moment = dataset.image_of[annotation["image_id"]]["moment"]
        world = tuple(truth.loc[annotation["id"], "keypoints_world"])
        who = (moment, annotation["subject"], annotation["pose"], world)
        people.setdefault(annotation["track_id"], set()).add(who)
    assert all(len(who) == 1 for who in people.values())
    assert len({who for each in people.values() for who in each}) == len(people)


def test_a_moment_is_posed_once(tmp_path: Path) -> None:
    posed: list[int] = []
    make(tmp_path, posed=posed)
    assert posed == [0, 1]


@pytest.mark.parametrize("after", [1, 2, 4])
def test_stopped_closed_and_grown_it_ends_in_the_same_files(
    made: Path, tmp_path: Path, after: int
) -> None:
    out, short = tmp_path / "out", tmp_path / "short"
    with pytest.raises(Interrupted):
        make(out, stop_after=after)
    config = as_made(CONFIG, out)
    assert config.count == after
    make(out, count=after)
    make(short, count=after)
    assert contents(out) == contents(short)
    assert make(out) == 6 - after
    assert contents(out) == contents(made)


def test_a_run_of_other_views_is_another_run(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"another run \(views 3 there, 2 here\)"):
        make(made, views=2)
    with pytest.raises(UserError, match=r"another run \(views 3 there, none here\)"):
        make(made, views=1)
    assert "views" not in describe(replace(CONFIG, views=1))


@pytest.mark.parametrize("views", [0, -1, 17])
def test_numbers_of_views_that_make_no_sense(views: int) -> None:
    with pytest.raises(UserError, match=f"views {views}: 1 to 16 cameras of a moment"):
        replace(CONFIG, views=views)


def test_several_engines_take_whole_moments(made: Path, tmp_path: Path) -> None:
    class TwoLanes(BallRenderer):
        lanes = 2

    posed: list[int] = []
    run_dataset(
        CONFIG,
        tmp_path,
        open_source=lambda config: posed_once(config, posed),
        open_renderer=lambda backend: TwoLanes(),
    )
    assert sorted(posed) == [0, 1]
    assert contents(tmp_path) == contents(made)
