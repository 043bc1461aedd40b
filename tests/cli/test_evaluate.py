"""``evaluate``: agreement, two models, the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from made_people import jitter, make_coco, make_results, project_people, write
from pages import SCRIPT, check_page

from spinetrack_synth.cli.evaluate import command
from spinetrack_synth.gap.labels import labels_of


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    coco = make_coco(project_people(24, 9), per_image=2)
    labels = labels_of(coco, write(folder / "labels.json", coco))
    for name, share in (("A", 0.01), ("B", 0.03)):
        write(folder / f"{name}.json", coco, make_results(labels, jitter(labels, share, 1)))
    return folder


def run(files: Path, *more: Any) -> Result:
    arguments = ("--dataset", files / "labels.json", "--predictions", files / "A.json", *more)
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_agreement_is_told_as_text_and_json(files: Path) -> None:
    text = run(files)
    assert text.exit_code == 0, text.output
    assert "ICC(2,1)" in text.output and "left knee" in text.output
    figures = json.loads(run(files, "--output-format", "json").output)["agreement"]
    assert figures["clustered_by"] == "picture"
    knee = figures["quantities"]["left_knee"]
    assert knee["unit"] == "°" and knee["people"] > 20 and knee["clusters"] == 12
    assert knee["lower"]["value"] < knee["bias"]["value"] < knee["upper"]["value"]
    assert knee["icc"]["low"] < knee["icc"]["value"] < knee["icc"]["high"] <= 1
    assert knee["mdc"]["value"] == pytest.approx(1.96 * 2**0.5 * knee["sem"]["value"], rel=1e-4)


def test_two_models_are_compared(files: Path) -> None:
    done = run(files, "--against", files / "B.json", "--output-format", "json")
    figures = json.loads(done.output)["against"]
    error = figures["measures"]["body.error"]
    assert error["first"] - error["second"] == pytest.approx(error["difference"]["value"], abs=2e-6)
    assert error["difference"]["high"] < 0 and error["better"] == -1
    assert figures["people_found_by_both"] == 24
    text = run(files, "--against", files / "B.json").output
    assert "first less second" in text and "24 people found by both" in text
    both = run(files, "--against", files / "B.json", "--against-model", "B.onnx")
    assert "not both" in str(both.exception)


def test_the_page_has_its_parts_and_needs_nothing(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = run(files, "--against", files / "B.json", "--output-format", "html", "--out", out)
    assert done.exit_code == 0, done.output
    page = out.read_text()
    for part in ("Two models", "Agreement", "Bland-Altman", "Keypoints", "Worst people"):
        assert f"<h2>{part}" in page
    assert "000000.png" in page or "annotation 1" in page
    tags = check_page(page)
    assert tags.open == [] and "script" not in tags.seen and "link" not in tags.seen
    assert page.count("Bland-Altman plot") > 15 and "nan" not in page.split("</style>")[1]


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    coco = make_coco(project_people(24, 9), per_image=2)
    for image in coco.images:
        image["file_name"] = image["sequence"] = SCRIPT.replace("/", "") + str(image["id"])
    coco.categories[0] = {**coco.categories[0], "name": SCRIPT}
    labels = labels_of(coco, write(tmp_path / "<script>.json", coco))
    for name, share in (("<script>A.json", 0.01), ("<script>B.json", 0.03)):
        write(tmp_path / name, coco, make_results(labels, jitter(labels, share, 1)))
    arguments = ("--dataset", tmp_path / "<script>.json",
                 "--predictions", tmp_path / "<script>A.json",
                 "--against", tmp_path / "<script>B.json", "--output-format", "html")  # fmt: skip
    done = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    assert check_page(done.output).articles > 0
    assert "&lt;script&gt;A.json" in done.output and "&lt;script&gt;B.json" in done.output
    assert "&lt;script&gt;alert" in done.output and "<script" not in done.output
