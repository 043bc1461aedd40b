"""The project's description, settings and scripts, as far as they can be read without an engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "unreal_project"
SCRIPTS = sorted((PROJECT / "Scripts").glob("*.sh"))


def test_the_project_names_its_module_and_what_it_needs() -> None:
    project = json.loads((PROJECT / "SpineTrackSynth.uproject").read_text())
    (module,) = project["Modules"]
    assert (PROJECT / "Source" / module["Name"] / f"{module['Name']}.Build.cs").is_file()
    plugins = {plugin["Name"] for plugin in project["Plugins"] if plugin["Enabled"]}
    assert {"UnrealCV", "Interchange", "PythonScriptPlugin"} <= plugins
    for target in ("SpineTrackSynth", "SpineTrackSynthEditor"):
        text = (PROJECT / f"Source/{target}.Target.cs").read_text()
        assert f"class {target}Target" in text and f'"{module["Name"]}"' in text


def test_the_stage_is_the_level_that_scripts_build_and_settings_start() -> None:
    game = (PROJECT / "Config/DefaultGame.ini").read_text()
    engine = (PROJECT / "Config/DefaultEngine.ini").read_text()
    script = (PROJECT / "Content/Python/spinetrack_import.py").read_text()
    (root,) = re.findall(r'^ROOT = "(.+)"$', script, re.M)
    assert f"GameDefaultMap={root}/Stage.Stage" in engine
    assert f'(Path="{root}")' in game and f'(FilePath="{root}/Stage")' in game
    assert (
        f"{root}/Levels/" in (PROJECT / "Source/SpineTrackSynth/SpineTrackCommands.cpp").read_text()
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_only_sources_are_kept() -> None:
    made = ["Exported/avatars/a.glb", "Binaries/x", "Content/SpineTrack/Stage.umap", "Saved/y"]
    paths = [str(PROJECT / path) for path in made]
    done = subprocess.run(
        ["git", "check-ignore", *paths], cwd=PROJECT, capture_output=True, text=True
    )
    if done.returncode == 128:
        pytest.skip("no git repository")
    assert done.stdout.splitlines() == paths


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_say_what_is_missing(script: Path, tmp_path: Path) -> None:
    copy = tmp_path / "Scripts" / script.name
    copy.parent.mkdir()
    shutil.copy(script, copy)
    assert os.access(script, os.X_OK)
    environment = {key: value for key, value in os.environ.items() if key != "UE_ROOT"}
    done = subprocess.run(["sh", copy], env=environment, capture_output=True, text=True)
    assert done.returncode != 0 and len(done.stderr.splitlines()) == 1
    assert "UE_ROOT" in done.stderr or "build_linux.sh" in done.stderr
