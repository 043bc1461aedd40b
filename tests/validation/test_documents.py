"""What is written about the gate is what it does; the action and the hook call it rightly."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from clean import clean, write

from spinetrack_synth.cli import validate as command
from spinetrack_synth.validation.registry import builtin_rules
from spinetrack_synth.validation.reporting import FORMATS
from spinetrack_synth.validation.rules import FAMILIES
from spinetrack_synth.validation.settings import FAIL_ON, KEYS, parse_settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "validation.md"


def test_the_list_of_rules_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("rule_list", ROOT / "scripts/rule_list.py")
    assert spec and spec.loader
    rule_list = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule_list)
    text = PAGE.read_text(encoding="utf-8")
    assert rule_list.with_rule_list(text) == text, "run python scripts/rule_list.py"


def test_every_rule_is_told_in_full() -> None:
    rules = builtin_rules()
    assert len({rule.code for rule in rules}) == len({rule.name for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.code.startswith(FAMILIES[rule.family])
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
        assert len(rule.reason) > 40 and rule.reason.endswith((".", ")", "?"))
        assert rule.example
        assert 15 < len(rule.summary) < 140


def test_every_option_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for parameter in command.command.params:
        for option in parameter.opts:
            assert f"`{option}" in text or option == "files"
    assert all(name in text for name in FORMATS)


def test_the_command_offers_what_the_gate_has() -> None:
    assert command.FORMATS == FORMATS
    assert command.FAIL_ON == FAIL_ON


def test_the_settings_of_the_page_are_settings() -> None:
    import tomllib

    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    table = next(tomllib.loads(block) for block in blocks if "tool.spinetrack" in block)
    settings = parse_settings(table["tool"]["spinetrack"], PAGE)
    assert settings.severity
    assert set(table["tool"]["spinetrack"]) <= set(KEYS)


def gate(tmp_path: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's script as the action does."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        **inputs,
    }
    script = ROOT / "pipelines/validate/gate.sh"
    return subprocess.run(
        ["bash", str(script)], env=environment, cwd=tmp_path, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_action_annotates_and_leaves_reports(tmp_path: Path) -> None:
    data = clean()
    data["annotations"][2]["num_keypoints"] = 3
    write(tmp_path / "a.json", data)
    said = gate(tmp_path, FILES="a.json", IMAGES="", FAIL_ON="error")
    assert said.returncode == 1, said.stderr
    assert "::error file=a.json,line=1,title=SPT353 num-keypoints::" in said.stdout
    outputs = dict(line.split("=") for line in (tmp_path / "outputs").read_text().splitlines())
    assert json.loads(Path(outputs["sarif"]).read_text())["version"] == "2.1.0"
    assert Path(outputs["html"]).read_text().startswith("<!doctype html>")


@pytest.mark.slow
def test_nothing_in_the_action_s_inputs_is_run(tmp_path: Path) -> None:
    write(tmp_path / "a.json", clean())
    said = gate(tmp_path, FILES="a.json $(touch run)", BASELINE="; touch run")
    assert said.returncode == 2
    assert not (tmp_path / "run").exists()


def test_the_action_gives_the_script_every_input_by_environment() -> None:
    text = (ROOT / "pipelines/validate/action.yml").read_text()
    script = (ROOT / "pipelines/validate/gate.sh").read_text()
    for name in ("FILES", "IMAGES", "PREVIOUS", "BASELINE", "FAIL_ON", "RELEASE"):
        assert re.search(rf"^        {name}: \$\{{\{{ inputs\.", text, re.MULTILINE)
        assert f"${{{name}" in script or f"${name}" in script
    # Text between braces is pasted into the script before the shell reads it.
    for run in re.findall(r"^      run: (.*)$", text, re.MULTILINE):
        assert "${{" not in run


def test_the_hook_calls_the_command() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    assert "entry: spinetrack-synth validate\n" in text
    pattern = re.search(r"^  files: (.*)$", text, re.MULTILINE)
    assert pattern
    assert re.search(pattern[1], "data/annotations/person_keypoints_train.json")
    assert not re.search(pattern[1], "package.json")
