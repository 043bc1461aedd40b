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


def run_script(
    name: str, project: Path, engine: Path | None = None
) -> subprocess.CompletedProcess[str]:
    shutil.copytree(PROJECT / "Scripts", project / "Scripts", dirs_exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if key != "UE_ROOT"}
    if engine:
        environment["UE_ROOT"] = str(engine)
    command = ["sh", str(project / "Scripts" / name)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_say_what_is_missing(script: Path, tmp_path: Path) -> None:
    assert os.access(script, os.X_OK)
    done = run_script(script.name, tmp_path)
    assert done.returncode != 0 and len(done.stderr.splitlines()) == 1
    assert "UE_ROOT" in done.stderr or "build_linux.sh" in done.stderr


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    folder = tmp_path / "engine"
    set_version(folder, 5, 4)
    return folder


def set_version(engine: Path, major: int, minor: int) -> None:
    path = engine / "Engine/Build/Build.version"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"MajorVersion": major, "MinorVersion": minor}, indent="\t"))


def add_unrealcv(project: Path, version: str, header: str) -> None:
    plugin = project / "Plugins/UnrealCV"
    path = plugin / "Source/UnrealCV/Public/Server/UnrealcvServer.h"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header)
    (plugin / "UnrealCV.uplugin").write_text(f'{{\n  "VersionName": "{version}", \n}}\n')


CURRENT = "TSharedPtr<FCommandDispatcher> GetCommandDispatcher() const;"


@pytest.mark.parametrize("major, minor, passes", [(4, 27, 0), (5, 3, 0), (5, 4, 1), (5, 10, 1)])
def test_an_older_engine_is_refused(
    major: int, minor: int, passes: bool, tmp_path: Path, engine: Path
) -> None:
    set_version(engine, major, minor)
    add_unrealcv(tmp_path, "1.1.2", CURRENT)
    done = run_script("check.sh", tmp_path, engine)
    if passes:
        assert done.returncode == 0 and not done.stderr
        assert done.stdout == f"Unreal Engine {major}.{minor}, UnrealCV 1.1.2\n"
    else:
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert f"is Unreal Engine {major}.{minor}: 5.4 or newer is needed" in line


def test_unrealcv_must_be_there_and_new_enough(tmp_path: Path, engine: Path) -> None:
    for name in ("check.sh", "build_linux.sh", "import_assets.sh"):
        shutil.rmtree(tmp_path / "Plugins", ignore_errors=True)
        done = run_script(name, tmp_path, engine)
        assert done.returncode == 2 and "is missing: clone UnrealCV" in done.stderr
        add_unrealcv(tmp_path, "1.0.1", "TSharedPtr<class FCommandDispatcher> CommandDispatcher;")
        done = run_script(name, tmp_path, engine)
        assert done.returncode == 2 and "check out v1.1.2" in done.stderr
    add_unrealcv(tmp_path, "1.0.1", CURRENT)
    done = run_script("check.sh", tmp_path, engine)
    assert done.returncode == 0 and done.stdout.startswith("note: UnrealCV 1.0.1")


def test_the_least_version_is_the_same_everywhere() -> None:
    pages = {
        "Content/Python/spinetrack_check.py": "LEAST_ENGINE = (5, 4)",
        "Source/SpineTrackSynth/SpineTrackSynthModule.cpp": "UE_VERSION_OLDER_THAN(5, 4, 0)",
        "Scripts/check.sh": "-ge 504 ]",
        "README.md": "5.4 at least",
        "../docs/unreal-first-build.md": "5.4 at least",
    }
    for page, text in pages.items():
        assert text in (PROJECT / page).read_text(), page
