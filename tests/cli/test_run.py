"""`run`: real commands in processes of their own, stopped and killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from commands import Run, contents

from spinetrack_synth.cli.arguments import parse
from spinetrack_synth.pipelines.planning import read_plan

PIPELINES = Path(__file__).parents[2] / "pipelines"

NAMES = ["nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip"]
LABELS = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 90, "height": 90}],
    "categories": [{"id": 1, "name": "person", "keypoints": NAMES, "skeleton": []}],
    "annotations": [
        {
            "id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 1600,
            "bbox": [20, 20, 40, 40], "num_keypoints": 5,
            "keypoints": [40, 22, 2, 50, 30, 2, 30, 30, 2, 45, 50, 2, 35, 50, 2],
        }
    ],
}  # fmt: skip

PIPELINE = """
[files]
"labels.json" = "labels.json"
[steps.first]
run = "stats labels.json --json first.json"
outputs = ["first.json"]
[steps.second]
run = "stats slow.json --json second.json"
outputs = ["second.json"]
[steps.wrong]
run = "rules SPT998"
[steps.third]
run = "validate labels.json --fail-on never --output-format json --output-file third.json"
outputs = ["third.json"]
after = ["wrong"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("labels.json").write_text(json.dumps(LABELS))
    Path("p.toml").write_text(PIPELINE)
    Path("runs/p").mkdir(parents=True)
    return tmp_path


def test_mistakes_get_one_line_and_exit_code_2(run: Run, folder: Path) -> None:
    assert run("run", "none.toml") == (
        2,
        "",
        "Error: none.toml: cannot be read: No such file or directory\n",
    )
    code, out, err = run("run", "p.toml")
    assert (code, out) == (2, "")
    assert err.startswith("Error: p.toml: steps.second: slow.json is not there and no step makes")
    assert err.count("\n") == 1 and not contents(folder / "runs")


def test_a_dry_run_writes_nothing(run: Run, folder: Path) -> None:
    Path("runs/p/slow.json").write_text(json.dumps(LABELS))
    code, out, err = run("run", "p.toml", "--dry-run")
    assert (code, err) == (0, "")
    assert out.splitlines()[:4] == [
        "cd runs/p",
        f"ln -sfn {folder / 'labels.json'} labels.json",
        "# first: has not been done",
        "spinetrack-synth stats labels.json --json first.json",
    ]
    assert list(contents(folder / "runs")) == ["p/slow.json"]


@pytest.mark.slow
def test_stopped_and_killed_it_goes_on(run: Run, folder: Path) -> None:
    slow = folder / "runs/p/slow.json"
    os.mkfifo(slow)  # the command that reads it waits for us
    driver = [sys.executable, "-m", "spinetrack_synth", "run", "p.toml"]
    for number in (signal.SIGINT, signal.SIGKILL):
        with (
            subprocess.Popen(
                driver, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as process,
            slow.open("wb", buffering=0) as pipe,
        ):  # opens once the command reads
            process.send_signal(number)
            out, err = process.communicate()
            with contextlib.suppress(BrokenPipeError):  # its command ends with it
                while True:
                    pipe.write(b" ")
                    time.sleep(0.01)
        if number == signal.SIGINT:
            assert process.returncode == 130
            assert err.endswith("stopped; run the same command to go on\n")
            assert "# first: done in " in out
        else:
            assert process.returncode == -9
            assert "# first: up to date\n" in out
            assert "# second: was begun and not finished\n" in out
    slow.unlink()
    slow.write_text(json.dumps(LABELS))
    code, out, _ = run("run", "p.toml")
    assert code == 1
    lines = out.splitlines()
    assert "# first: up to date" in lines
    assert "# wrong: failed: exit code 2" in lines
    assert "# third: left out, for wrong failed" in lines
    assert lines[-1] == "# 4 steps: 1 up to date, 1 done, 1 failed, 1 left out"
    assert json.loads(Path("runs/p/second.json").read_text())


WHAT_THEY_DO = {
    "yoga": {"render", "validate", "stats"},
    "spinepose-small": {"render", "validate", "train", "export", "evaluate"},
    "release": {"render", "validate", "split", "stats", "convert", "package"},
    "sim2real": {"render", "validate", "evaluate", "gap"},
    "cluster": {"render", "validate", "stats"},
}


@pytest.mark.parametrize("name", WHAT_THEY_DO)
def test_the_pipelines_of_the_repository_can_be_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "real/images").mkdir(parents=True)  # what the file asks its user to name
    (tmp_path / "real/annotations.json").touch()
    plan = read_plan(PIPELINES / f"{name}.toml", tmp_path / "out", parse)
    assert plan.steps[0].name.startswith("render")
    assert {step.arguments[0] for step in plan.steps} == WHAT_THEY_DO[name]


def test_every_pipeline_of_the_repository_is_planned_and_listed() -> None:
    names = {path.stem for path in PIPELINES.glob("*.toml")}
    assert names == set(WHAT_THEY_DO)
    page = (PIPELINES.parent / "docs/pipelines.md").read_text()
    assert all(f"| `pipelines/{name}.toml` |" in page for name in names)


def test_what_the_small_network_learns_from_is_what_its_pipeline_makes(tmp_path: Path) -> None:
    plan = read_plan(PIPELINES / "spinepose-small.toml", tmp_path, parse)
    config = tomllib.loads(plan.files["train.toml"].read_text())
    (train,) = (step for step in plan.steps if step.name == "train")
    read = [each["annotations"] for each in (*config["sources"], *config["judging"]["sets"])]
    assert {Path(path).parts[0] for path in read} == set(train.makers) - {"train.toml"}
