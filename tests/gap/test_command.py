"""The commands: with a network and with saved predictions, on wide and on narrow labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from made_people import jitter, make_coco, make_results, paint, project_people, write
from pages import SCRIPT, check_page

from spinetrack_synth.cli.evaluate import command as evaluate
from spinetrack_synth.cli.gap import command as gap
from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap import tables
from spinetrack_synth.gap.comparison import compare as compare_sets
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.evaluation import evaluate as measure
from spinetrack_synth.gap.labels import labels_of, read_labels
from spinetrack_synth.gap.predictions import predictions_of
from spinetrack_synth.gap.report import data, page
from spinetrack_synth.spinepose import packaged

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[2].parent / "shared"
COCO_REAL = SHARED / "data/coco-real/person_keypoints_coco-real.json"
SIZE = 160


def run(command: Any, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two painted datasets with predictions, the real ones worse."""
    folder = tmp_path_factory.mktemp("sets")
    for number, (name, share) in enumerate((("made", 0.01), ("field", 0.02))):
        coco = make_coco(project_people(36, 20 + number) * (SIZE / 800), size=SIZE)
        paint(folder / name / "images" / name, coco, number)
        path = write(folder / name / "annotations" / f"person_keypoints_{name}.json", coco)
        labels = labels_of(coco, path)
        write(folder / f"{name}.json", coco, make_results(labels, jitter(labels, share, number)))
    return folder


def labels_path(sets: Path, name: str) -> Path:
    return sets / name / "annotations" / f"person_keypoints_{name}.json"


def compare(sets: Path, out: Path, *more: object) -> Result:
    return run(
        gap, "--synthetic", labels_path(sets, "made"), "--real", labels_path(sets, "field"),
        "--synthetic-predictions", sets / "made.json", "--real-predictions", sets / "field.json",
        "--out", out, "--resamples", 100, *more,
    )  # fmt: skip


def test_evaluate_tells_figures_as_text_and_json(sets: Path, tmp_path: Path) -> None:
    arguments = ("--dataset", labels_path(sets, "made"), "--predictions", sets / "made.json")
    text = run(evaluate, *arguments)
    assert text.exit_code == 0
    assert "interpolated from hip, neck and head" in text.output
    assert "neck_02" in text.output
    out = tmp_path / "figures.json"
    assert run(evaluate, *arguments, "--output-format", "json", "--out", out).exit_code == 0
    figures = json.loads(out.read_text())
    assert set(figures["groups"]) == {"body", "feet", "spine", "all", "halpe26"}
    assert figures["measures"]["spine.error"] == pytest.approx(0.0125, rel=0.1)
    assert figures["people"] == 36 and len(figures["calibration"]["curve"]) == 10


def test_the_report_is_one_page_and_its_figures(sets: Path, tmp_path: Path) -> None:
    done = compare(sets, tmp_path / "R")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "R/report.html").read_text()
    for part in ("The gap", "What differs", "For whom", "Pictures", "Worst people"):
        assert f"<h2>{part}" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page and "nan" not in page.replace("nance", "")
    figures = json.loads((tmp_path / "R/report.json").read_text())
    found = figures["gaps"]["all.error"]["gap"]
    assert 0 < found["low"] < 0.0125 < found["high"]
    assert figures["appearance"]["auc"]["low"] < 0.6
    assert {each["by"] for each in figures["strata"]} == {
        "scale", "view", "trunk", "occlusion", "pose", "visibility",
    }  # fmt: skip


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    paths = []
    for number, share in enumerate((0.01, 0.02)):
        coco = make_coco(project_people(36, 20 + number))
        for image in coco.images:
            image["file_name"] = image["sequence"] = SCRIPT.replace("/", "") + str(image["id"])
        coco.categories[0] = {**coco.categories[0], "name": SCRIPT}
        path = write(tmp_path / f"<script>{number}.json", coco)
        labels = labels_of(coco, path)
        results = make_results(labels, jitter(labels, share, number))
        paths += [path, write(tmp_path / f"P{number}.json", coco, results)]
    done = run(
        gap, "--synthetic", paths[0], "--synthetic-predictions", paths[1], "--real", paths[2],
        "--real-predictions", paths[3], "--resamples", 50, "--out", tmp_path / "R",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    text = (tmp_path / "R/report.html").read_text()
    assert check_page(text).articles > 0
    assert "&lt;script&gt;0.json" in text and "&lt;script&gt;1.json" in text
    assert "&lt;script&gt;alert" in text and "<script" not in text


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report(sets: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        compare(sets, tmp_path / name, "--seed", 3)
    for file in ("report.html", "report.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_gates_fail_pass_and_do_not_check_nothing(sets: Path, tmp_path: Path) -> None:
    failing = compare(sets, tmp_path / "R", "--fail-on", "spine.error>0.005")
    assert failing.exit_code == 1
    assert "failed: spine.error>0.005" in failing.output
    assert "failed" in (tmp_path / "R/report.html").read_text()
    assert json.loads((tmp_path / "R/report.json").read_text())["gates"][0]["failed"]
    passing = ("--fail-on", "spine.error>0.5", "--fail-on", "real.spine.AP<0.1")
    assert compare(sets, tmp_path / "R", *passing).exit_code == 0
    for wrong, told in {
        "spine.eror>1": "there is spine.error",
        "spine.error": "no condition such as",
        "spine.error>1>2": "no condition such as",
    }.items():
        done = compare(sets, tmp_path / "R", "--fail-on", wrong)
        assert isinstance(done.exception, UserError) and told in str(done.exception)


def shorten(labels: dict[str, Any]) -> dict[str, Any]:
    labels["annotations"][2]["keypoints"].pop()
    return labels


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("results", '{"a": 1}', "holds no list"),
        ("results", "[", "not a JSON file"),
        ("results", "[3]", "[0]: int, expected an object"),
        ("results", '[{"image_id": 999999}]', "[0].image_id: 999999 is no image"),
        ("results", '[{"image_id": [0]}]', "[0].image_id: [0] is no image"),
        ("results", '[{"image_id": 0, "keypoints": [1, 2], "score": 1}]', "x, y and score"),
        (
            "results",
            '[{"image_id": 0, "category_id": 2, "keypoints": [1, 2, 3], "score": 1}]',
            "no result of category 1",
        ),
        ("results", '[{"image_id": 0, "keypoints": [1, 2, NaN], "score": 1}]', "finite"),
        ("results", '[{"image_id": 0, "keypoints": [1, 2, 3], "score": 1}]', "1 keypoints"),
        ("labels", "[]", "holds a list"),
        ("labels", '{"images": [], "annotations": [], "categories": []}', "no annotations"),
    ],
)
def test_bad_files_end_in_one_line(
    name: str, content: str, told: str, sets: Path, tmp_path: Path
) -> None:
    files = {"results": sets / "made.json", "labels": labels_path(sets, "made")}
    files[name] = tmp_path / "bad.json"
    files[name].write_text(content)
    done = run(evaluate, "--dataset", files["labels"], "--predictions", files["results"])
    assert isinstance(done.exception, UserError), done.output
    assert told in str(done.exception) and "\n" not in str(done.exception)


def test_nothing_to_run_and_no_pictures_say_what_to_give(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaged, "NETWORKS", tmp_path / "none")
    done = run(evaluate, "--dataset", labels_path(sets, "made"))
    assert "--model" in str(done.exception)
    lonely = write(tmp_path / "x" / "labels.json", read_labels(labels_path(sets, "made")).coco)
    done = run(evaluate, "--dataset", lonely, "--model", "no.onnx")
    assert "--images" in str(done.exception)
    done = run(
        gap, "--synthetic", labels_path(sets, "made"), "--real", lonely, "--model", "no.onnx",
        "--out", tmp_path / "R",
    )  # fmt: skip
    assert "--real-images" in str(done.exception) and not (tmp_path / "R").exists()


def test_a_seed_below_zero_is_refused(sets: Path, tmp_path: Path) -> None:
    done = compare(sets, tmp_path / "R", "--seed", -1)
    assert done.exit_code == 2 and "--seed" in done.output
    assert not (tmp_path / "R").exists()


@pytest.mark.skipif(not COCO_REAL.is_file(), reason="../shared is not there")
def test_real_photos_with_17_points_say_what_cannot_be_judged(sets: Path, tmp_path: Path) -> None:
    labels = read_labels(COCO_REAL)
    rng = np.random.default_rng(0)
    results = [
        {
            "image_id": annotation["image_id"],
            "category_id": 1,
            "annotation_id": annotation["id"],
            "keypoints": (
                np.array(annotation["keypoints"], float) + rng.normal(scale=2, size=51)
            ).tolist(),
            "score": 0.9,
        }
        for annotation in labels.coco.annotations
        if any(annotation["keypoints"])
    ]
    predictions = write(tmp_path / "results.json", labels.coco, results)
    done = run(
        gap, "--synthetic", labels_path(sets, "made"), "--real", COCO_REAL,
        "--synthetic-predictions", sets / "made.json", "--real-predictions", predictions,
        "--out", tmp_path / "R", "--resamples", 100,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "R/report.json").read_text())
    assert len(figures["keypoints"]) == 17 and len(figures["not_judged"]) == 20
    assert "nothing is said of the spine" in done.output
    assert "training split" in done.output
    assert not any(name.startswith("spine.") for name in figures["gaps"])
    assert "Cannot be judged" in (tmp_path / "R/report.html").read_text()
    done = run(
        gap, "--synthetic", labels_path(sets, "made"), "--real", COCO_REAL,
        "--synthetic-predictions", sets / "made.json", "--real-predictions", predictions,
        "--out", tmp_path / "R", "--resamples", 100, "--fail-on", "spine.error>0.05",
    )  # fmt: skip
    assert "cannot be judged" in str(done.exception)


def dotted(folder: Path, seed: int, noise: float) -> Path:
    """People made of coloured dots that ``dot_network`` finds, one a picture, with noise."""
    from PIL import Image
    from pose_networks import blank, draw_dots, scatter

    rng = np.random.default_rng(seed)
    size_hw = (256, 192)
    people = np.array([scatter(rng, 37, size_hw) for _ in range(24)])
    coco = make_coco(people)
    images = [{**image, "width": 192, "height": 256} for image in coco.images]
    # The box whose crop is the picture, pixel by pixel.
    box = [19.2, 25.6, 153.6, 204.8]
    annotations = [{**a, "bbox": box, "area": 0.5 * 192 * 256} for a in coco.annotations]
    (folder / "images/made").mkdir(parents=True)
    for image, points in zip(images, people):
        pixels = draw_dots(blank(size_hw), points, radius=1).astype(float)
        pixels += rng.normal(scale=noise, size=pixels.shape)
        picture = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
        picture.save(folder / "images/made" / image["file_name"])
    path = folder / "annotations/person_keypoints_made.json"
    return write(path, CocoDataset(images, annotations))


@pytest.mark.slow
def test_a_network_is_run_and_asked_what_noise_costs(tmp_path: Path) -> None:
    for module in ("onnxruntime", "cv2", "onnx"):
        pytest.importorskip(module, reason="pip install 'spinetrack-synth[spinepose]'")
    from pose_networks import dot_network

    model = dot_network(tmp_path / "dots.onnx")
    clean, noisy = dotted(tmp_path / "clean", 1, 0.0), dotted(tmp_path / "noisy", 2, 45.0)
    done = run(
        gap, "--model", model, "--synthetic", clean, "--real", noisy, "--out", tmp_path / "R",
        "--resamples", 100,
    )  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    figures = json.loads((tmp_path / "R/report.json").read_text())
    assert figures["gaps"]["all.error"]["synthetic"]["value"] < 0.01
    assert figures["gaps"]["all.error"]["gap"]["low"] > 0.01
    assert [cause["name"] for cause in figures["causes"]] == ["noise"]
    assert figures["costs"]["noise"]["share_of_gap"] == pytest.approx(1.0, abs=0.35)
    assert json.loads((tmp_path / "R/predictions_real.json").read_text())[0]["annotation_id"]


def odd_sets() -> dict[str, Evaluation]:
    """Sets of which little can be said."""
    people = project_people(30, 3)

    def measured(coco: CocoDataset, keypoints: int = 37, found: int = 30) -> Evaluation:
        labels = labels_of(coco, Path("odd.json"))
        results = make_results(labels, jitter(labels, 0.02, 1))[:found]
        for result in results:
            del result["keypoints"][3 * keypoints :]
        return measure(labels, predictions_of(results, labels, "odd"))

    crowds, flat = make_coco(people), make_coco(people)
    for annotation in crowds.annotations[:20]:
        annotation["iscrowd"] = 1
    for annotation in flat.annotations[:10]:
        annotation.update(area=0, bbox=[5, 5, 0, 0])
    bare = np.zeros((30, 37))
    bare[:, 5] = 2
    return {
        "usual": measured(make_coco(people)),
        "no predictions": measured(make_coco(people), found=0),
        "one person": measured(make_coco(people[:1])),
        "one picture": measured(make_coco(people, per_image=30)),
        "crowds": measured(crowds),
        "no area": measured(flat),
        "one keypoint": measured(make_coco(people, v=bare)),
        "17 keypoints predicted": measured(make_coco(people), keypoints=17),
        "one pose": measured(make_coco(np.repeat(people[:1], 30, axis=0))),
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_odd_sets_are_compared_without_a_word_of_numpy_s() -> None:
    evaluations = odd_sets()
    for name, each in evaluations.items():
        tables.to_text(each, "odd")
        for pair in ((each, evaluations["usual"]), (evaluations["usual"], each)):
            comparison = compare_sets(*pair, resamples=50)
            json.dumps(data.to_json(comparison, "odd"), allow_nan=False)
            text = page.render(comparison, "odd")
            assert "nan" not in text.replace("nance", ""), name
