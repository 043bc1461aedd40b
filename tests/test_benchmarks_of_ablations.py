"""The table of ablations: rows are configurations, nothing done is lost, figures are right."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'spinetrack-synth[train]'")
pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")

from PIL import Image
from training_runs import draw_people

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import ablation_figures
import ablation_rows
import ablations
import photos

from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import NAMES, SPINE
from spinetrack_synth.standing_keypoints import STANDING_M
from spinetrack_synth.training.checkpoints import Description, save_checkpoint
from spinetrack_synth.training.config import Config, read_config
from spinetrack_synth.training.log import read_rows
from spinetrack_synth.training.loss_config import LossConfig, Term

LIFTS = [("small", "movenet"), ("small-lite0", "imagenet")]


def data(*counts: int) -> ablation_rows.Data:
    *rendered, more = (
        ablation_rows.Rendered(Path(f"/r{number}.json"), 2 * count // 3, count)
        for number, count in enumerate((*counts, 600))
    )
    return ablation_rows.Data(
        tuple(rendered), (more,), Path("/held.json"), Path("/photos"), Path("/people/boxes.json"),
        Path("/teacher.json"), Path("/backgrounds"),
    )  # fmt: skip


def configs(folder: Path, *counts: int) -> dict[str, Config]:
    """What `train` reads of every row, by its name."""
    found = {}
    rows = ablation_rows.rows_of(ablation_rows.sections(data(*counts), LIFTS))
    for run in ablation_rows.runs_of(rows, (5,), 30, data(*counts)):
        path = folder / f"{run.name}.toml"
        path.write_text(run.config)
        found[run.row.name] = read_config(path)
    return found


def test_every_row_is_a_configuration_with_the_ingredients_that_it_tells(tmp_path: Path) -> None:
    read = configs(tmp_path, 3000, 1000)
    assert {(c.optimisation.steps, c.optimisation.batch_size, c.seed) for c in read.values()} == {
        (30, 32, 5)
    }
    assert {c.judging.every for c in read.values()} == {30}
    assert all([s.name for s in c.judging.sets] == ["lspe", "coco-mini", "rendered"]
               for c in read.values())  # fmt: skip
    nothing = Term(0.0)
    plain = LossConfig(structure=nothing, smoothness=nothing, spine_shape=nothing)
    ladder = ("rendered", "exchanged", "distilled", "anatomical", "mixed")
    told = [
        (c.backgrounds is not None, c.teacher is not None, c.losses, len(c.sources))
        for c in (read[name] for name in ladder)
    ]
    assert told == [
        (False, False, plain, 2),
        (True, False, plain, 2),
        (True, True, plain, 3),
        (True, True, LossConfig(), 3),
        (True, True, LossConfig(), 4),
    ]
    frozen, marginals = read.pop("frozen"), read.pop("marginals")
    assert {c.optimisation.backbone_rate for c in read.values()} == {0.2}
    assert (frozen.optimisation.backbone_rate, frozen.augmentation.truncation) == (0, 0.2)
    assert all(set(NAMES) - set(s.ignore) == set(NAMES[17:]) for s in frozen.sources)
    assert marginals == replace(frozen, losses=LossConfig(heatmaps=nothing))
    assert [s.labelled for s in read["distilled"].sources] == [True, True, False]
    assert read["mixed"].sources[-1].people == 300
    assert read["mixed"].sources[-1].annotations == Path("/photos/lspe/train.json")


def test_people_are_shared_out_among_the_folders(tmp_path: Path) -> None:
    read = configs(tmp_path, 3000, 1000)
    assert [s.people for s in read["pictures-500"].sources] == [562, 188]
    assert [s.people for s in read["pictures-2000"].sources] == [2251, 750]
    assert [s.people for s in read["exchanged"].sources] == [None, None]
    more = read["more-pictures"].sources
    assert [s.people for s in more] == [None, None, None]
    assert more[2].weight == pytest.approx(2 * 600 / 4600)
    titles = [title for title, _ in ablation_rows.sections(data(3000, 1000), LIFTS)[1].lines]
    assert titles == [
        "500 (750 people)", "2,000 (3,001 people)", "2,666 (4,000 people)", "3,066 (4,600 people)",
    ]  # fmt: skip
    assert "pictures-500" not in configs(tmp_path, 300), "there are but 200"
    for wanted in (1, 499, 7000):
        taken = ablation_rows.shares(wanted, [10, 3000, 4000])
        assert sum(taken) == wanted
        assert all(part <= there for part, there in zip(taken, [10, 3000, 4000]))


def test_real_people_come_alone_or_after_rendered_ones_of_the_same_seed(tmp_path: Path) -> None:
    rows = ablation_rows.rows_of(ablation_rows.sections(data(100), LIFTS))
    names = [row.name for row in rows]
    assert len(names) == len(set(names))
    for row in rows:
        assert row.begins is None or names.index(row.begins.name) < names.index(row.name)
    read = configs(tmp_path, 100)
    for network, taught in (("small", "exchanged"), ("small-lite0", "small-lite0-exchanged")):
        for count in (60, 300, 1500):
            alone, after = (read[f"{network}-{kind}-{count}"] for kind in ("real", "after"))
            assert alone.sources == after.sources and alone.sources[0].people == count
            assert alone.network.name == after.network.name == network
            assert after.network.start is not None
            assert after.network.start.parent == tmp_path, "beside the configuration"
            assert after.network.start.name.startswith(f"{taught}-5-")
            assert alone.optimisation == after.optimisation
    start = read["small-real-60"].network.start
    assert start is not None and start.name == "movenet"
    runs = ablation_rows.runs_of(rows, (0, 1), 30, data(100))
    assert len({run.name for run in runs}) == len(runs)
    assert sum(not run.row.trained for run in runs) == 2, "what is not trained needs one seed"
    knows = {run.row.name: run.row.knows_spine for run in runs}
    assert not knows["alone"] and not knows["small-real-60"]
    assert knows["small-after-60"] and knows["mixed"]


def test_what_is_done_is_never_done_again_whatever_stopped_it(tmp_path: Path) -> None:
    rows = ablation_rows.rows_of(ablation_rows.sections(data(100), LIFTS[:1]))
    runs = ablation_rows.runs_of(rows, (0, 1), 30, data(100))[:6]
    results, done = tmp_path / "results.csv", []

    def do(run: ablation_rows.Run) -> dict[str, float]:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(run.name)
        return {"lspe_body": len(done) / 10}

    with pytest.raises(KeyboardInterrupt):
        ablations.complete(runs, results, do, print)
    before = results.read_bytes()
    assert [line["lspe_body"] for line in ablations.read_results(results)] == ["0.1", "0.2", "0.3"]
    (tmp_path / ".results.csv.tmp").write_text("torn")

    def more(run: ablation_rows.Run) -> dict[str, float]:
        done.append(run.name)
        if run == runs[4]:
            raise UserError("no such picture")
        return {"lspe_body": 1}

    assert ablations.complete(runs, results, more, print) == [runs[4]]
    assert done == [run.name for run in runs]
    assert results.read_bytes().startswith(before)
    assert ablations.complete(runs, results, more, print) == [runs[4]]
    assert done[6:] == [runs[4].name], "only what failed is tried again"
    longer = ablation_rows.runs_of(rows, (0, 1), 60, data(100))[:6]
    lines = ablations.read_results(results)
    assert all(ablations.result_of(run, lines) is None for run in longer), "another budget"


def test_rows_wait_for_those_that_they_begin_with(tmp_path: Path) -> None:
    rows = ablation_rows.rows_of(ablation_rows.sections(data(100), LIFTS[:1]))
    runs = ablation_rows.runs_of(rows, (0,), 30, data(100))
    (after,) = (run for run in runs if run.row.name == "small-after-60")
    asked: list[str] = []

    def do(run: ablation_rows.Run) -> dict[str, float]:
        asked.append(run.row.name)
        return {}

    results, told = tmp_path / "results.csv", []
    assert ablations.complete([after], results, do, told.append) == [after]
    assert not asked and "begins with exchanged-0-" in told[0]
    assert after.begins is not None
    assert ablations.complete([after.begins, after], results, do, told.append) == []
    assert asked == ["exchanged", "small-after-60"]


def test_the_table_tells_the_mean_and_half_the_range(tmp_path: Path) -> None:
    parts = ablation_rows.sections(data(100), LIFTS[:1])
    runs = ablation_rows.runs_of(ablation_rows.rows_of(parts), (0, 1, 2), 30, data(100))
    values = {"rendered": [0.6, 0.7, 0.65], "alone": [0.7114]}

    def do(run: ablation_rows.Run) -> dict[str, float]:
        body = values[run.row.name][run.seed]
        return {"lspe_body": body} if run.row.name == "alone" else {
            "lspe_body": body, "order": body + 0.3, "spacing": 0.25,
        }  # fmt: skip

    results = tmp_path / "results.csv"
    wanted = [run for run in runs if run.row.name in values]
    ablations.complete(wanted, results, do, print)
    lines = ablations.table(parts, runs, ablations.read_results(results)).splitlines()
    header, _, alone, rendered, later = ([c.strip() for c in line.split("|")] for line in lines[:5])
    told = dict(zip(header, rendered))
    assert told["Ingredients"] == "+ 100 rendered people"
    assert told["body, LSPe"] == ".650 ± .050"
    assert told["in order"] == "95.0 ± 5.0 %"
    assert told["spacing"] == ".250 ± .000"
    assert told["feet"] == "–"
    assert dict(zip(header, alone))["body, LSPe"] == ".711"
    assert set(later[2:-1]) == {"–"}
    assert len({line.count("|") for line in lines if line}) == 1
    assert sum(line.startswith("| 0 |") for line in lines) == 1


def standing(folder: Path) -> Path:
    """Two people in a picture, the model standing, seen from the front and from the side."""
    folder.mkdir(parents=True)
    metres = np.array([STANDING_M[name] for name in NAMES])
    Image.new("RGB", (700, 500)).save(folder / "a.png")
    people = []
    for number, across in enumerate((2, 0)):
        flat = np.column_stack([metres[:, across], -metres[:, 1]]) * 200
        flat += np.array([200 + 300 * number, 440]) - [flat[:, 0].mean(), 0]
        low, high = flat.min(axis=0) - 10, flat.max(axis=0) + 10
        left, top, right, bottom = (*low, *high)
        people.append({
            "id": number + 1, "image_id": 1, "category_id": 1, "iscrowd": 0,
            "bbox": [*low, *(high - low)], "area": float((high - low).prod()),
            "keypoints": np.c_[flat, np.full(37, 2)].ravel().tolist(),
            "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
        })  # fmt: skip
    file = {
        "images": [{"id": 1, "file_name": "a.png", "width": 700, "height": 500}],
        "annotations": people,
        "categories": [{"id": 1, "name": "person", "keypoints": list(NAMES)}],
    }
    path = folder / "judge.json"
    path.write_text(json.dumps(file))
    return path


def test_what_is_wrong_with_the_arguments_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ablations.main([])
    assert "--held-out R4" in capsys.readouterr().out
    draw_people(tmp_path, "train", 2, 0)
    names = ("held-out", "photos", "unlabelled", "teacher", "backgrounds")
    paths = [f"--{name}={tmp_path}" for name in names]
    arguments = [f"--rendered={tmp_path}", *paths, f"--out={tmp_path / 'out'}"]
    with pytest.raises(SystemExit, match="2"):
        ablations.main(arguments)
    told = capsys.readouterr().err
    assert told == f"Error: {tmp_path / 'lspe/judge.json'}: there is no such file or folder\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_spines_of_photos_are_held_against_the_fitted_body(tmp_path: Path) -> None:
    there = ablation_figures.photographed(standing(tmp_path / "set"), tmp_path / "set")
    assert np.isfinite(there.torso_px).all()
    trunk = 200 * np.linalg.norm(
        np.array(STANDING_M["neck"])
        - np.mean([STANDING_M["left_hip"], STANDING_M["right_hip"]], axis=0)
    )
    np.testing.assert_allclose(there.torso_px, trunk, rtol=0.1)
    assert ablation_figures.error_of_fitted(there) < 0.05
    person, spine = there.people[0], there.spine[0]
    step = np.array([0.1 * there.torso_px[0], 0])
    points = person.labels[:, :2].copy()
    points[list(SPINE)] = spine + step
    answers = photos.Answers(
        points, np.ones(37), spine=spine, mirrored=spine + 2 * step, scaled=spine - step
    )
    told = ablation_figures.figures_of_person(person, answers, spine, there.torso_px[0])
    assert told["fitted"] == pytest.approx(0.1)
    assert (told["flip"], told["scale"]) == pytest.approx((0.2, 0.1))
    assert (told["order"], told["mask"], told["trunk"]) == (1, 1, 1)
    assert told["spacing"] < 0.2
    unknown = ablation_figures.figures_of_person(person, answers, spine, np.nan)
    assert np.isnan(unknown["fitted"]) and unknown["order"] == 1


@pytest.mark.slow
def test_a_row_is_trained_by_the_command_and_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    for name, value in {"BATCH_SIZE": 4, "INPUT_HW": (32, 32)}.items():
        monkeypatch.setattr(ablation_rows, name, value)
    trained, held = (draw_people(tmp_path, *each) for each in (("train", 6, 0), ("val", 3, 1)))
    sets = [standing(tmp_path / "photos" / name) for name in ("lspe", "coco-mini")]
    start = tmp_path / "start.safetensors"
    described = Description("small", NAMES, (32, 32))
    save_checkpoint(start, described.build(), described)
    there = replace(
        data(), rendered=(ablation_rows.Rendered(trained, 6, 6),), more=(), held_out=held,
        photos=sets[0].parent.parent,
    )  # fmt: skip
    alone = ablation_rows.Row("alone", start=str(start), trained=False)
    runs = ablation_rows.runs_of(
        [alone, replace(alone, name="taught", trained=True)], (3,), 2, there
    )
    results = tmp_path / "results.csv"

    def do(run: ablation_rows.Run) -> dict[str, float]:
        return ablations.figures_of(run, tmp_path, there, 1)

    assert ablations.complete(runs, results, do, print) == []
    untaught, taught = ablations.read_results(results)
    assert all(taught[name] for name in ablation_figures.FIGURES)
    assert [untaught[name] == "" for name in ablation_figures.FIGURES] == [
        name in ablation_figures.OF_SPINE for name in ablation_figures.FIGURES
    ]
    judged = read_rows(tmp_path / runs[1].name / "judged.csv")
    assert [row["step"] for row in judged] == ["2"] * 3
    assert float(judged[0]["body_oks"]) == pytest.approx(float(taught["lspe_body"]), rel=1e-5)
    failing = shutil.which("false")
    assert failing is not None
    monkeypatch.setattr(sys, "executable", failing)
    again = replace(runs[1], seed=4)
    assert ablations.complete([*runs, again], results, do, print) == [again]
    assert len(ablations.read_results(results)) == 2
