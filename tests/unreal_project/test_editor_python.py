"""The editor's Python of the Unreal project: types against a stub, and what needs no engine."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "unreal_project/Content/Python"
STUBS = Path(__file__).parent / "stubs"


def mypy(*paths: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("mypy", reason="pip install mypy")
    strict = ["--strict", "--config-file=", "--cache-dir", str(cwd / "cache"), "--no-error-summary"]
    return subprocess.run(
        [sys.executable, "-m", "mypy", *strict, *map(str, paths)],
        cwd=SCRIPTS,
        env=os.environ | {"MYPYPATH": str(STUBS)},
        capture_output=True,
        text=True,
    )


def test_the_scripts_are_well_typed(tmp_path: Path) -> None:
    done = mypy(*sorted(SCRIPTS.glob("*.py")), cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_the_check_sees_mistakes(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import unreal\nunreal.EditorAssetLibrary.rename_asset('one')\nunreal.fly()\n")
    done = mypy(wrong, cwd=tmp_path)
    assert done.stdout.count("error:") == 2


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_tell_about_themselves(tmp_path: Path) -> None:
    pytest.importorskip("pygltflib", reason="pip install 'spinetrack-synth[unreal]'")
    from spinetrack_synth.export.scenes import thing_glb

    about = load("glb").about
    path = tmp_path / "mat_3.glb"
    path.write_bytes(thing_glb("mat/3"))
    assert about(path) == {"thing": "mat/3"}
    path.write_bytes(b"glTF" + bytes(40))
    with pytest.raises(ValueError, match="no binary glTF"):
        about(path)


def test_axes_are_those_of_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    from spinetrack_synth.rendering.unreal.axes import to_unreal

    engine = ModuleType("unreal")
    engine.Vector = lambda x, y, z: (x, y, z)  # type: ignore[attr-defined]
    engine.Object = engine.Actor = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unreal", engine)
    monkeypatch.setitem(sys.modules, "glb", ModuleType("glb"))
    points = np.random.default_rng(0).normal(size=(5, 3))
    here = load("spinetrack_import").to_unreal
    np.testing.assert_allclose([here(list(p)) for p in points], to_unreal(points))
