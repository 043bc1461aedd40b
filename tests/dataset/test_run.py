"""Making datasets of ball people: contents, growing, refusing, reproducing."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fakes import BallRenderer, ball_source, model
from filelock import FileLock
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.coco.dataset import find_problems
from spinetrack_synth.dataset import DatasetConfig, as_begun, as_made, run_dataset
from spinetrack_synth.dataset.pool import shards_of
from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import NAMES, SIGMAS

CONFIG = {"scene": "balls", "count": 5, "seed": 3, "size": (96, 72), "format": "png"}


def make(
    out: Path,
    *,
    renderer: BallRenderer | None = None,
    progress=None,
    on_failure=None,
    leave_out: bool = False,
    **settings,
) -> int:
    return run_dataset(
        DatasetConfig(**{**CONFIG, **settings}),
        out,
        progress or (lambda done, wanted: None),
        open_source=ball_source,
        open_renderer=lambda backend: renderer or BallRenderer(),
        on_failure=on_failure or (lambda failure: None),
        leave_out=leave_out,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "out"
    make(out)
    return out


def test_the_folder_holds_what_the_design_says(made: Path) -> None:
    assert set(contents(made)) == {
        "annotations/person_keypoints_train.json",
        "ground_truth/train.parquet",
        "manifest.json",
        "contact_sheet.jpg",
        "README.md",
        "croissant.json",
        *(f"images/train/{index:06d}.png" for index in range(5)),
    }


def test_the_coco_file_is_sound_and_traceable(made: Path) -> None:
    path = made / "annotations/person_keypoints_train.json"
    assert list(find_problems(json.loads(path.read_bytes()))) == []
    dataset = CocoDataset.read(path)
    assert [image["id"] for image in dataset.images] == list(range(5))
    for image in dataset.images:
        assert image["seed"] == 3
        assert np.shape(image["K"]) == (3, 3)
        assert np.shape(image["world2cam"]) == (4, 4)
    for annotation in dataset.annotations:
        assert annotation["id"] // 1000 == annotation["image_id"]
        assert annotation["subject"].startswith("ball-3-")
        v = annotation["keypoints"][2::3]
        assert set(v) <= {0, 1, 2}
        assert annotation["num_keypoints"] == sum(value > 0 for value in v)


def test_ground_truth_projects_onto_the_labels(made: Path) -> None:
    dataset = CocoDataset.read(made / "annotations/person_keypoints_train.json")
    truth = pd.read_parquet(made / "ground_truth/train.parquet").set_index("annotation_id")
    assert len(truth) == len(dataset.annotations) > 5
    for row, annotation in enumerate(dataset.annotations):
        person = truth.loc[annotation["id"]]
        image = dataset.image_of[annotation["image_id"]]
        assert (person["subject"], person["pose"]) == (annotation["subject"], annotation["pose"])
        assert person["image_id"] == annotation["image_id"]
        K, world2cam = np.array(image["K"]), np.array(image["world2cam"])
        np.testing.assert_array_equal(person["K"], K.ravel())
        np.testing.assert_array_equal(person["world2cam"], world2cam.ravel())
        points = person["keypoints_world"].reshape(37, 3) @ world2cam[:3, :3].T + world2cam[:3, 3]
        pixels = (points / points[:, 2:]) @ K.T
        x, y, v = dataset.keypoints[row].T
        assert np.abs(pixels[:, 0] - x)[v > 0].max() < 0.01
        assert np.abs(pixels[:, 1] - y)[v > 0].max() < 0.01


def test_ground_truth_names_what_its_lists_hold(made: Path) -> None:
    schema = pq.read_schema(made / "ground_truth/train.parquet")
    names = {key.decode(): json.loads(value) for key, value in schema.metadata.items()
             if key in (b"keypoints", b"coordinates", b"bodies")}  # fmt: skip
    assert names["keypoints"] == list(NAMES)
    assert names["coordinates"] == list(model().coordinates)
    assert names["bodies"] == list(model().bodies)
    truth = pd.read_parquet(made / "ground_truth/train.parquet")
    assert all(len(row) == len(names["coordinates"]) for row in truth["coordinates"])
    assert all(len(row) == 3 * len(names["bodies"]) for row in truth["scale_factors"])
    assert truth["lumbar_lordosis_deg"].between(-60, 120).all()
    assert truth["lumbar_lordosis_deg"].nunique() > 1


def test_pycocotools_scores_the_truth_against_itself_with_1(made: Path) -> None:
    path = made / "annotations/person_keypoints_train.json"
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        detections = truth.loadRes([
            {key: a[key] for key in ("image_id", "category_id", "keypoints")} | {"score": 1.0}
            for a in truth.dataset["annotations"]
        ])  # fmt: skip
        evaluation = COCOeval(truth, detections, "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
        # The stand-in's people are smaller than COCO's smallest class.
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    assert evaluation.eval["precision"].shape[0] == 10
    assert (evaluation.eval["precision"] == 1).all()


def test_the_manifest_says_how_the_pictures_were_made(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    split = manifest["splits"]["train"]
    assert manifest["generator"] == "spinetrack-synth"
    assert (split["scene"], split["count"], split["seed"]) == ("balls", 5, 3)
    assert (split["size"], split["format"]) == ([96, 72], "png")
    assert len(split["model_sha256"]) == 64
    assert "anny" in split["assets"]
    assert split["version"]


def test_images_are_what_was_drawn(made: Path) -> None:
    shot = ball_source(DatasetConfig(**CONFIG))(2)
    drawn = BallRenderer().render(shot).rgb
    np.testing.assert_array_equal(Image.open(made / "images/train/000002.png"), drawn)


def test_the_same_settings_make_the_same_files(made: Path, tmp_path: Path) -> None:
    make(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(made)


def test_another_seed_makes_other_pictures(made: Path, tmp_path: Path) -> None:
    make(tmp_path / "other", seed=4)
    pairs = zip(contents(made).items(), contents(tmp_path / "other").items())
    assert all(a != b for (_, a), (_, b) in pairs)


def test_a_finished_dataset_is_left_alone(made: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    calls = []
    renderer = BallRenderer()
    assert make(made, renderer=renderer, progress=lambda *done: calls.append(done)) == 0
    assert calls == [(5, 5)]
    assert renderer.drawn == 0
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_a_dataset_grows_to_what_one_go_would_have_made(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "grown"
    make(out, count=2)
    renderer = BallRenderer()
    assert make(out, count=5, renderer=renderer) == 3
    assert renderer.drawn == 3
    assert renderer.closed
    assert contents(out) == contents(made)


def test_lost_pictures_are_drawn_again(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "lost"
    make(out)
    (out / "images/train/000001.png").unlink()
    (out / "images/train/000003.png").write_bytes(b"")
    assert make(out) == 2
    assert contents(out) == contents(made)


@pytest.mark.parametrize("lost", ["annotations/person_keypoints_train.json",
                                  "ground_truth/train.parquet"])  # fmt: skip
def test_lost_annotations_are_made_again(made: Path, tmp_path: Path, lost: str) -> None:
    out = tmp_path / "lost"
    make(out)
    (out / lost).unlink()
    assert make(out) == 5
    assert contents(out) == contents(made)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("after", range(5))
def test_an_interrupted_run_goes_on(made: Path, tmp_path: Path, after: int) -> None:
    out = tmp_path / "out"

    def stop(done: int, wanted: int) -> None:
        if done == after + 1:
            raise Interrupted

    with pytest.raises(Interrupted):
        make(out, progress=stop)
    assert not (out / "manifest.json").exists()
    assert not (out / "annotations").exists()
    calls = []
    renderer = BallRenderer()
    assert make(out, renderer=renderer, progress=lambda *done: calls.append(done)) == 4 - after
    assert calls[0] == (after + 1, 5)
    assert renderer.drawn == 4 - after
    assert contents(out) == contents(made)


@pytest.mark.parametrize("after", [1, 3])
def test_a_stopped_run_is_closed_at_what_is_there_and_grows_again(
    made: Path, tmp_path: Path, after: int
) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == after:
            raise Interrupted

    out, short = tmp_path / "out", tmp_path / "short"
    with pytest.raises(Interrupted):
        make(out, progress=stop)
    # What a kill leaves between a picture and its record, and in the middle of a picture.
    (out / f"images/train/{after:06d}.png").write_bytes(b"half")
    (out / f"images/train/.{after + 1:06d}.png.tmp").write_bytes(b"")
    config = as_made(DatasetConfig(**CONFIG), out)
    assert config.count == after
    renderer = BallRenderer()
    assert make(out, renderer=renderer, count=config.count) == renderer.drawn == 0
    make(short, count=after)
    assert contents(out) == contents(short)
    assert as_begun(DatasetConfig(**CONFIG), out).count == after
    assert make(out) == 5 - after
    assert contents(out) == contents(made)


def test_closing_draws_what_several_lanes_left_out(tmp_path: Path) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == 4:
            raise Interrupted

    out, short = tmp_path / "out", tmp_path / "short"
    with pytest.raises(Interrupted):
        make(out, progress=stop)
    (out / ".parts/train/000001.json").unlink()
    config = as_made(DatasetConfig(**CONFIG), out)
    assert config.count == 4
    assert make(out, count=config.count) == 1
    make(short, count=4)
    assert contents(out) == contents(short)


def test_a_grown_run_that_was_stopped_is_closed(made: Path, tmp_path: Path) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == 4:
            raise Interrupted

    out, short = tmp_path / "out", tmp_path / "short"
    make(out, count=2)
    with pytest.raises(Interrupted):
        make(out, progress=stop)
    with pytest.raises(UserError, match="count 4 there, 3 here; a dataset can grow but not shrink"):
        make(out, count=3)
    make(out, count=4)
    make(short, count=4)
    assert contents(out) == contents(short)


def test_nothing_is_closed_where_nothing_is_or_another_run(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no picture of split 'train'; nothing to close"):
        as_made(DatasetConfig(**CONFIG), tmp_path)
    with pytest.raises(UserError, match="holds another run"):
        as_made(DatasetConfig(**{**CONFIG, "seed": 4}), made)


def test_a_run_that_fails_at_once_leaves_no_trace(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    class Broken(BallRenderer):
        def render(self, shot, *, quality=None):
            raise UserError("no engine")

    with pytest.raises(UserError, match="no engine"):
        make(out, renderer=Broken())
    assert not out.exists()
    assert make(out) == 5
    assert contents(out) == contents(made)


class Failing(BallRenderer):
    """Fails on some pictures as often as it is told."""

    def __init__(self, **times: int) -> None:
        super().__init__()
        self.left = {int(index.removeprefix("of_")): count for index, count in times.items()}

    def render(self, shot, *, quality=None):
        if self.left.get(shot.index, 0):
            self.left[shot.index] -= 1
            raise RuntimeError(f"out of\nmemory at {shot.index}")
        return super().render(shot)


def test_what_fails_is_tried_again_after_the_others(made: Path, tmp_path: Path) -> None:
    out, told, calls = tmp_path / "out", [], []
    renderer = Failing(of_1=2, of_3=1)
    assert make(out, renderer=renderer, on_failure=told.append,
                progress=lambda *done: calls.append(done)) == 5  # fmt: skip
    assert [(failure.index, failure.cause) for failure in told] == [
        (index, f"RuntimeError: out of memory at {index}") for index in (1, 3, 1)
    ]
    assert calls == [(done, 5) for done in range(6)]
    assert contents(out) == contents(made)


def test_what_fails_every_time_ends_the_run_with_its_cause(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UserError) as error:
        make(out, renderer=Failing(of_2=99))
    (line,) = str(error.value).splitlines()
    assert "1 of 5 pictures could not be made in 3 attempts: 000002.png (RuntimeError: out" in line
    assert "run the same command to try these again, or add --close to finish without them" in line
    causes = (out / ".parts/train/failures.jsonl").read_text().splitlines()
    assert len(causes) == 3
    assert all("Traceback" in json.loads(cause)["details"] for cause in causes)
    renderer = BallRenderer()
    assert make(out, renderer=renderer) == renderer.drawn == 1
    assert contents(out) == contents(made)


def test_pictures_that_fail_every_time_can_be_left_out_and_made_later(
    made: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "images/train").mkdir(parents=True)
    (out / ".parts/train").mkdir(parents=True)
    (out / "images/train/000004.png").write_bytes(b"of a run that was killed")
    renderer = Failing(of_2=99, of_4=99)
    assert make(out, renderer=renderer, leave_out=True) == 5
    split = json.loads((out / "manifest.json").read_text())["splits"]["train"]
    causes = {str(index): f"RuntimeError: out of memory at {index}" for index in (2, 4)}
    assert (split["count"], split["left_out"]) == (5, causes)
    there = ["000000.png", "000001.png", "000003.png"]
    assert sorted(path.name for path in (out / "images/train").iterdir()) == there
    labels = CocoDataset.read(out / "annotations/person_keypoints_train.json")
    assert [image["file_name"] for image in labels.images] == there
    truth = pd.read_parquet(out / "ground_truth/train.parquet")
    assert truth["annotation_id"].tolist() == [a["id"] for a in labels.annotations]
    assert "| train | 3 |" in (out / "README.md").read_text()
    assert "2 of the 5 pictures of `train` are left out" in (out / "README.md").read_text()
    assert make(out) == 2
    assert contents(out) == contents(made)


def test_a_picture_of_a_finished_split_that_is_lost_and_fails_takes_its_labels_along(
    made: Path, tmp_path: Path
) -> None:
    out, never = tmp_path / "out", tmp_path / "never"
    make(never, renderer=Failing(of_1=99), leave_out=True)
    make(out)
    (out / "images/train/000001.png").unlink()
    make(out, renderer=Failing(of_1=99), leave_out=True)
    assert contents(out) == contents(never)
    # What a kill leaves between a picture and its record.
    (out / "images/train/000001.png").write_bytes(b"half")
    assert make(out) == 1
    assert contents(out) == contents(made)


def test_a_dataset_is_not_left_without_any_picture(tmp_path: Path) -> None:
    broken = Failing(**{f"of_{index}": 99 for index in range(5)})
    with pytest.raises(UserError, match=r"5 of 5 .*try these again$"):
        make(tmp_path / "out", renderer=broken, leave_out=True)


def test_a_run_in_which_nothing_goes_well_gives_up(tmp_path: Path) -> None:
    broken = Failing(**{f"of_{index}": 99 for index in range(100)})
    with pytest.raises(UserError, match="20 failed and 0 went well, so the run ends here"):
        make(tmp_path / "out", count=100, renderer=broken)


def test_what_is_not_what_its_record_says_is_made_again(
    made: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == 4:
            raise Interrupted

    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        make(out, progress=stop)
    parts, pictures = out / ".parts/train", out / "images/train"
    (parts / "000000.json").write_bytes((parts / "000000.json").read_bytes()[:-9])
    (parts / "000001.json").write_bytes(b"[1]")
    content = bytearray((pictures / "000003.png").read_bytes())
    content[len(content) // 2] ^= 1
    (pictures / "000003.png").write_bytes(content)
    renderer = BallRenderer()
    assert make(out, renderer=renderer) == renderer.drawn == 4
    assert [record.getMessage() for record in caplog.records] == [
        f"{parts / name}: damaged; its picture is made again"
        for name in ("000000.json", "000001.json", "000003.json")
    ]
    assert contents(out) == contents(made)


def test_a_record_that_is_damaged_meanwhile_costs_one_line(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def damage(done: int, wanted: int) -> None:
        if done == 5:
            (out / ".parts/train/000002.json").write_bytes(b'{"image": ')

    with pytest.raises(UserError, match=r"000002\.json: damaged \(.*run the same command again"):
        make(out, progress=damage)
    assert not (out / "manifest.json").exists()
    assert make(out) == 1
    assert contents(out) == contents(made)


def test_a_damaged_file_of_ground_truth_is_told(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make(out, count=2)
    (out / "ground_truth/train.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"train\.parquet: damaged .*delete it and run"):
        make(out)
    (out / "ground_truth/train.parquet").unlink()
    make(out)
    assert contents(out) == contents(made)


def test_shards_are_whole_moments_and_end_with_their_clip() -> None:
    config = DatasetConfig(**{**CONFIG, "count": 24, "views": 2})
    missing = [0, 1, 2, 3, 4, 5, 9, 10, 11]
    assert list(shards_of(missing, config, 1)) == [[0, 1], [2, 3], [4, 5], [9], [10, 11]]
    assert list(shards_of(missing, config, 4)) == [[0, 1, 2, 3], [4, 5, 9], [10, 11]]
    clips = DatasetConfig(**{**CONFIG, "count": 24, "views": 2, "sequence": 3})
    assert list(shards_of(missing, clips, 99)) == [[0, 1, 2, 3, 4, 5], [9, 10, 11]]


def test_nothing_is_written_before_source_and_renderer_are_there(tmp_path: Path) -> None:
    def refuse(_):
        raise UserError("no such scene")

    for doors in ({"open_source": refuse}, {"open_source": ball_source, "open_renderer": refuse}):
        with pytest.raises(UserError, match="no such scene"):
            run_dataset(DatasetConfig(**CONFIG), tmp_path / "out", **doors)
        assert not (tmp_path / "out").exists()


def test_two_splits_share_a_folder(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "both"
    make(out)
    make(out, split="val", seed=99, count=2)
    files = contents(out)
    assert {"annotations/person_keypoints_val.json", "ground_truth/val.parquet"} <= set(files)
    of_all = {"manifest.json", "contact_sheet.jpg", "README.md", "croissant.json"}
    same = set(contents(made)) - of_all
    assert all(files[name] == contents(made)[name] for name in same)
    assert set(json.loads(files["manifest.json"])["splits"]) == {"train", "val"}


def test_a_split_that_repeats_another_is_refused(made: Path) -> None:
    with pytest.raises(
        UserError, match=r"'val' would repeat the pictures of split 'train'.*--seed"
    ):
        make(made, split="val")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 4}, r"another run \(seed 3 there, 4 here\); give another folder"),
        ({"size": (64, 48)}, "size 96x72 there, 64x48 here"),
        ({"quality": "draft", "format": "jpg"}, "quality normal there, draft here; format png"),
        ({"scene": "yoga"}, "scene balls there, yoga here"),
        ({"count": 3}, "count 5 there, 3 here; a dataset can grow but not shrink"),
    ],
)
def test_the_folder_of_another_run_is_refused(made: Path, changed: dict, message: str) -> None:
    before = contents(made)
    with pytest.raises(UserError, match=message):
        make(made, **changed)
    assert contents(made) == before


def test_an_interrupted_run_of_another_seed_is_refused(tmp_path: Path) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == 1:
            raise Interrupted

    with pytest.raises(Interrupted):
        make(tmp_path, progress=stop)
    with pytest.raises(UserError, match="seed 3 there, 4 here"):
        make(tmp_path, seed=4)


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("important")
    with pytest.raises(UserError, match="not empty and holds no dataset of ours"):
        make(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "something else"}')
    with pytest.raises(UserError, match=r"manifest\.json: is not from spinetrack-synth"):
        make(tmp_path)
    (tmp_path / "manifest.json").write_text('{"gener')
    with pytest.raises(UserError, match=r"manifest\.json: cannot be read"):
        make(tmp_path)
    with pytest.raises(UserError, match="is a file; give a folder"):
        make(tmp_path / "thesis.tex")
    assert set(contents(tmp_path)) == {"thesis.tex", "manifest.json"}


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(UserError, match="another run is writing here"),
    ):
        make(tmp_path)
    assert make(tmp_path, count=1) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"count": 0}, "count 0: a dataset has at least one picture"),
        ({"count": -3}, "count -3"),
        ({"seed": -1}, "seed -1"),
        ({"split": "../evil"}, "split '../evil': use letters"),
        ({"split": ""}, "split ''"),
        ({"size": (640, 0)}, "size 640x0: sides of 32 to 8192 pixels"),
        ({"subjects": (0, 2)}, "subjects 0-2"),
        ({"subjects": (3, 2)}, "subjects 3-2"),
        ({"quality": "best"}, "quality 'best': choose draft, normal, final"),
        ({"format": "tiff"}, "format 'tiff': choose jpg, png"),
    ],
)
def test_settings_that_make_no_sense(wrong: dict, message: str) -> None:
    with pytest.raises(UserError) as error:
        DatasetConfig(**{**CONFIG, **wrong})
    assert message in str(error.value)


def test_a_folder_that_is_deleted_during_the_run_ends_it_in_one_line(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def delete(done: int, wanted: int) -> None:
        if done == 2:
            shutil.rmtree(out)

    with pytest.raises(UserError, match="out: was moved or deleted during the run"):
        make(out, progress=delete)
    assert not out.exists()
