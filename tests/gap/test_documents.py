"""What the pages say of the commands is what they do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_people import jitter, make_coco, make_results, project_people, write

from spinetrack_synth.cli.evaluate import command as evaluate_command
from spinetrack_synth.cli.gap import command as gap_command
from spinetrack_synth.gap import measures, running, taxonomy
from spinetrack_synth.gap.evaluation import evaluate
from spinetrack_synth.gap.labels import labels_of
from spinetrack_synth.gap.predictions import predictions_of

ROOT = Path(__file__).parents[2]
EVALUATE = (ROOT / "docs/evaluate.md").read_text(encoding="utf-8")
GAP = (ROOT / "docs/gap.md").read_text(encoding="utf-8")


def test_every_option_is_told() -> None:
    for command, text in ((evaluate_command, EVALUATE), (gap_command, GAP + EVALUATE)):
        for parameter in command.params:
            assert parameter.opts[0] in text, parameter.opts[0]


def test_presets_and_kinds_are_told() -> None:
    assert all(f"--preset {name}" in EVALUATE for name in running.PRESETS)
    for command in (evaluate_command, gap_command):
        (preset,) = (p for p in command.params if p.name == "preset")
        assert tuple(preset.type.choices) == tuple(running.PRESETS)
    assert all(kind in EVALUATE for kind in taxonomy.KINDS if kind != "miss")


def test_the_measures_of_the_page_are_those_there_are() -> None:
    coco = make_coco(project_people(12, seed=1))
    labels = labels_of(coco, Path("made.json"))
    results = make_results(labels, jitter(labels, 0.01, 1))
    names = set(evaluate(labels, predictions_of(results, labels, "made")).table.names)
    told = set(re.findall(r"`((?:spine|people)\.[a-z_]+)`", EVALUATE))
    assert told <= names
    assert {name for name in names if name in measures.HEADLINES} == set(measures.HEADLINES)
    for name in set(re.findall(r"`\.?(?:GROUP\.)?([a-z_]+)`", EVALUATE)) & {"pck_torso", "auc"}:
        assert f"spine.{name}" in names


def test_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coco = make_coco(project_people(12, seed=1))
    labels = labels_of(coco, Path("made.json"))
    write(tmp_path / "annotations.json", coco)
    write(tmp_path / "P.json", coco, make_results(labels, labels.points))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", EVALUATE, re.DOTALL):
        exec(compile(block, "docs/evaluate.md", "exec"), names)
    assert names["spine_ap"] == pytest.approx(1.0)
    assert names["measures"]["spine.error"] == 0.0
