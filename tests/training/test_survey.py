"""A dry run tells what would be read, and writes nothing."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from commands import Run
from PIL import Image
from training_runs import draw_people, write_config

torch = pytest.importorskip("torch", reason="pip install 'spinetrack-synth[train]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[train]'")


TRAIN = '"annotations/person_keypoints_train.json"'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    draw_people(tmp_path, "train", 5, 0)
    draw_people(tmp_path, "val", 2, 1)
    return tmp_path


@pytest.mark.slow
def test_a_dry_run_counts_and_writes_nothing(folder: Path, run: Run) -> None:
    labels = folder / "annotations/person_keypoints_train.json"
    labels.write_bytes(labels.read_bytes().replace(b",2.0,", b",0.0,", 1))  # one nose less
    file = json.loads(labels.read_bytes())
    for person in file["annotations"]:
        x, y, wide, high = person["bbox"]
        person["segmentation"] = [[x, y, x + wide, y, x + wide, y + high, x, y + high]]
    labels.write_text(json.dumps(file))
    config = write_config(folder / "c.toml")
    (folder / "photos").mkdir()
    for number in range(3):
        Image.new("RGB", (90, 70), (40 * number, 90, 120)).save(folder / f"photos/{number}.png")
    behind = '[backgrounds]\nphotos = "photos"\nprobability = 0.3\n'
    cut_out = f"{TRAIN}\nexchange = true"
    config.write_text(config.read_text().replace(TRAIN, cut_out, 1) + behind)
    before = sorted(folder.rglob("*"))
    code, out, err = run("train", config, "--dry-run")
    assert (code, err) == (0, "")
    assert sorted(folder.rglob("*")) == before
    assert "source train: 5 people in 5 pictures, 100% of every batch, 6.4 passes" in out
    assert "licence: CC0-1.0" in out
    assert re.search(r"^nose +4$", out, re.M) and re.search(r"^spine_03 +5$", out, re.M)
    assert "backgrounds: 3 photographs, behind 30% of those who can be cut out; licence" in out
    assert "judged on val: 2 people in 2 pictures" in out
    assert re.search(r"^parameters: 2\.5\d M, all of them learn$", out, re.M)
    assert re.search(r"^a step of 4 people: \d+\.\d\d s in fp32 on \d+ threads", out, re.M)


@pytest.mark.parametrize(
    ("part", "broken", "told"),
    [
        (TRAIN, '"none.json"', "none.json: "),
        (TRAIN, f"{TRAIN}\npeople = 9", "has 5 people to learn from, not 9"),
        (TRAIN, f'{TRAIN}\nimages = "x"', "no such folder"),
        ("_val.json", "_vol.json", "person_keypoints_vol.json"),
        ('name = "small"', 'name = "smal"', "network 'smal': expected one of spinepose-s"),
        ('name = "small"', 'name = "small"\nstart = "none.pth"', "none.pth: no such file"),
        ("[network]", '[teacher]\nnetwork = "none.onnx"\n[network]', "none.onnx"),
        ("[network]", '[backgrounds]\nphotos = "none"\n[network]', "none"),
        ("steps = 8", "steps = 8\naccumulate = 3", "cannot be divided into 3 parts"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    folder: Path, run: Run, part: str, broken: str, told: str
) -> None:
    config = write_config(folder / "c.toml")
    config.write_text(config.read_text().replace(part, broken, 1))
    for more in (["--dry-run"], ["--out", folder / "RUN"]):
        code, out, err = run("train", config, *more)
        assert code == 2 and out == "" and told in err and err.count("\n") == 1
    assert not (folder / "RUN").exists() and not (folder / "cache").exists()


def test_a_run_needs_a_folder(folder: Path, run: Run) -> None:
    code, out, err = run("train", write_config(folder / "c.toml"))
    assert (code, out) == (2, "")
    assert err == "Error: give the folder of the run (--out RUN), or --dry-run\n"


def test_torch_that_is_missing_is_named_with_its_remedy(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("spinetrack_synth.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    code, _, err = run("train", write_config(folder / "c.toml"), "--dry-run")
    assert code == 2
    assert err == (
        "Error: this needs torch, which is not installed: pip install 'spinetrack-synth[train]'\n"
    )


@pytest.mark.slow
def test_a_run_that_diverges_ends_in_one_line_and_1(folder: Path, run: Run) -> None:
    plan = {"learning_rate": 1e30, "warmup_steps": 0}
    config = write_config(folder / "c.toml", "[judging]", **plan)
    code, _, err = run("train", config, "--out", folder / "RUN")
    assert code == 1
    (line,) = [line for line in err.splitlines() if "nan" in line]
    assert (
        line.startswith("Error: the loss of step ")
        and "diverged-00000" in line
        and "Traceback" not in err
    )
