"""Pipeline files become steps in order, and every mistake has its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinetrack_synth.cli.arguments import parse
from spinetrack_synth.errors import UserError
from spinetrack_synth.pipelines.planning import Plan, read_plan


def plan(folder: Path, text: str) -> Plan:
    path = folder / "p.toml"
    path.write_text(text)
    return read_plan(path, folder / "out", parse)


def test_steps_stand_behind_those_whose_outputs_they_read(tmp_path: Path) -> None:
    found = plan(
        tmp_path,
        """
        steps.look = "stats people"
        [steps.score]
        run = "evaluate --dataset ./people/annotations/a.json --model M.onnx --out score.json"
        outputs = ["score.json"]
        after = ["gate"]
        [steps.export]
        run = "export trained --out M.onnx"
        outputs = ["M.onnx"]
        [steps.gate]
        run = "validate people --output-format json --output-file people-checked/a.json"
        outputs = ["people-checked"]
        [steps.train]
        run = "train CONFIG.toml --out trained"
        inputs = ["people"]
        outputs = ["trained/"]
        [steps.render]
        run = "render --scenes yoga:2,gym --out people"
        outputs = ["people"]
        [files]
        "CONFIG.toml" = "p.toml"
        """,
    )
    steps = {step.name: step for step in found.steps}
    assert list(steps) == ["render", "look", "gate", "train", "export", "score"]
    assert steps["train"].inputs == ("people", "CONFIG.toml")
    assert steps["train"].makers == {"people": ("render",), "CONFIG.toml": ()}
    assert steps["gate"].inputs == ("people",)
    assert steps["score"].before == ("render", "export", "gate")
    assert steps["render"].inputs == () and steps["render"].outputs == ("people",)
    told = "spinetrack-synth validate people --output-format json --output-file "
    assert steps["gate"].command == f"{told}people-checked/a.json"
    assert found.files == {"CONFIG.toml": tmp_path / "p.toml"}


def test_a_folder_around_outputs_is_behind_them_all(tmp_path: Path) -> None:
    found = plan(
        tmp_path,
        """
        steps.all = "stats data"
        steps.a = {run = "render --scenes yoga --out data/a", outputs = ["data/a"]}
        steps.b = {run = "render --scenes gym --out data/b", outputs = ["data/b"]}
        """,
    )
    assert [step.name for step in found.steps] == ["a", "b", "all"]


RENDER = 'steps.a = {run = "render --scenes yoga --out a", outputs = ["a"]}\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "steps: is missing"),
        ("steps = {}", "steps: none; write [steps.NAME] with a command to run"),
        ("steps.'a/b' = 'rules'", "steps: 'a/b' is no name; letters, digits"),
        ("steps.a = {run = 'rules', output = []}", "steps.a.output: no such key; did you mean"),
        ("steps.a = 'rendr --scenes yoga'", "steps.a.run: 'rendr' is no command; did you mean 're"),
        ("steps.a = 'make tea'", "steps.a.run: 'make' is no command; known are render, serve"),
        ("steps.a = ''", "steps.a.run: '' is no command"),
        ("steps.a = 'rules \"SPT'", "steps.a.run: No closing quotation"),
        ("steps.a = 'render --out a'", "steps.a.run: Missing option '--scenes'."),
        ("steps.a = 'render --scenes a --cuont 3'", "steps.a.run: No such option"),
        ("steps.a = 'render --scenes a --count x'", "'x' is not a valid integer"),
        ("steps.a = 'motion convrt a b'", "steps.a.run: No such command 'convrt'."),
        ("steps.a = 'motion'", "steps.a.run: 'motion' wants one of convert,"),
        ("steps.a = 'run p.toml'", "steps.a.run: a pipeline runs no pipelines"),
        ("steps.a = 'stats b.json'", "steps.a: b.json is not there and no step makes it; what"),
        ("steps.a = {run = 'rules', after = ['b']}", "steps.a.after: 'b' is no step; there are a"),
        ("steps.a = {run = 'rules', outputs = ['../a']}", "steps.a.outputs: '../a' is no name for"),
        ("steps.a = {run = 'rules', outputs = ['.pipeline/a']}", "'.pipeline/a' is no name for"),
        ("steps.a = {run = 'rules', inputs = ['']}", "steps.a.inputs: an empty name"),
        ("steps.a = 'stats .'", "steps.a: reads the whole output folder"),
        (RENDER + RENDER.replace(".a", ".b"), "steps.a and steps.b both make a"),
        (
            RENDER + "steps.b = {run = 'rules', outputs = ['a/b']}",
            "steps.a and steps.b: a/b lies in a",
        ),
        (RENDER + "files.a = 'p.toml'", "steps.a and files.a both make a"),
        (RENDER + "files.b = 'q.toml'", "q.toml is not there"),
        (
            "steps.a = {run = 'stats d --html d/s.html', outputs = ['d/s.html']}",
            "steps.a: its output d/s.html lies in its input d",
        ),
        (
            "steps.a = {run = 'rules', inputs = ['d/e'], outputs = ['d']}",
            "steps.a: its input d/e is its own output",
        ),
        (
            "steps.a = {run = 'stats y --json x', outputs = ['x']}\n"
            "steps.b = {run = 'stats x --json y', outputs = ['y']}",
            "steps: go in a circle: ",
        ),
        ("steps.a = {run = 'rules', after = ['a']}", "steps: go in a circle: a -> a"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        plan(tmp_path, text)
    assert told in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / 'p.toml'}: ")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()
