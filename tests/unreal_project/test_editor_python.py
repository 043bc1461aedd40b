"""The editor's Python of the Unreal project: types against a stub, and what needs no engine."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

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


class Editor(ModuleType):
    """As much of the editor's Python as the scripts ask for when they look for what is missing."""

    def __init__(self, version: str = "5.4.4-35576357+++UE5+Release-5.4") -> None:
        super().__init__("unreal")
        check = ast.parse((SCRIPTS / "spinetrack_check.py").read_text())
        names = {
            target.id: ast.literal_eval(node.value)
            for node in check.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for name in names["NAMES"]:
            setattr(self, name, type(name, (), {}))
        self.fields = {part: list(fields) for part, fields in names["FIELDS"].items()}
        self.classes = set(names["CLASSES"])
        self.lines: list[str] = []
        self.Paths: object = None
        self.EditorAssetLibrary: object = object
        self.Object = self.Actor = self.StructBase = object
        self.SystemLibrary = SimpleNamespace(get_engine_version=lambda: version)
        self.Vector = lambda x, y, z: (x, y, z)
        self.InterchangeGenericAssetsPipeline = lambda: SimpleNamespace(
            **{
                part: SimpleNamespace(**dict.fromkeys(fields, False))
                for part, fields in self.fields.items()
            }
        )
        for level in ("log", "log_warning", "log_error"):
            setattr(self, level, self.lines.append)

    def load_class(self, outer: None, name: str) -> object | None:
        return object() if name in self.classes else None


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    editor = Editor()
    monkeypatch.setitem(sys.modules, "unreal", editor)
    monkeypatch.syspath_prepend(SCRIPTS)
    for name in ("glb", "spinetrack_check"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return editor


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


def test_axes_are_those_of_the_driver(editor: Editor) -> None:
    from spinetrack_synth.rendering.unreal.axes import to_unreal

    points = np.random.default_rng(0).normal(size=(5, 3))
    here = load("spinetrack_import").to_unreal
    np.testing.assert_allclose([here(list(p)) for p in points], to_unreal(points))


def test_the_least_engine_has_what_is_needed(editor: Editor) -> None:
    check = load("spinetrack_check")
    assert check.faults("5.4.4-35576357+++UE5+Release-5.4") == []
    assert check.faults("5.10.0-1+++UE5+Release-5.10") == []


@pytest.mark.parametrize("version", ["5.3.2-29314046+++UE5+Release-5.3", "4.27.2-18319896", "?"])
def test_an_older_engine_is_told_in_one_line(version: str, editor: Editor) -> None:
    (line,) = load("spinetrack_check").faults(version)
    assert line == f"this is Unreal Engine {version}: 5.4 or newer is needed"


def test_everything_that_is_missing_is_told(editor: Editor) -> None:
    del editor.LevelEditorSubsystem
    editor.classes.remove("/Script/UnrealCV.UnrealcvGameMode")
    editor.fields["common_meshes_properties"].remove("keep_sections_separate")
    del editor.fields["mesh_pipeline"]
    lines = load("spinetrack_check").faults("5.4.4")
    assert len(lines) == 6
    assert any("unreal.LevelEditorSubsystem" in line for line in lines)
    assert any("Plugins/UnrealCV" in line for line in lines)
    assert any("common_meshes_properties.keep_sections_separate" in line for line in lines)
    assert sum("mesh_pipeline." in line for line in lines) == 3


def test_an_older_unrealcv_is_remarked(editor: Editor, tmp_path: Path) -> None:
    remarks = load("spinetrack_check").remarks
    assert remarks(tmp_path) == []  # it may lie among the engine's plugins
    plugin = tmp_path / "Plugins/UnrealCV/UnrealCV.uplugin"
    plugin.parent.mkdir(parents=True)
    for version, count in (("1.0.1", 1), ("1.1.2", 0), ("1.10", 0), ("2.0", 0)):
        plugin.write_text(json.dumps({"VersionName": version}), encoding="utf-8-sig")
        assert len(remarks(tmp_path)) == count, version


def test_the_import_stops_at_an_older_engine(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor.SystemLibrary.get_engine_version = lambda: "5.2.1-26001984+++UE5+Release-5.2"
    monkeypatch.setattr(sys, "argv", ["spinetrack_import.py"])
    with pytest.raises(RuntimeError, match=r"this is Unreal Engine 5\.2\.1.*5\.4 or newer"):
        load("spinetrack_import").main()


def test_fields_that_an_engine_does_not_know_are_left(editor: Editor) -> None:
    script = load("spinetrack_import")

    class Holder:
        known = True

        def set_editor_property(self, name: str, value: object) -> None:
            setattr(self, name, value)

    holder = Holder()
    script._set_if_known(holder, "known", False)
    script._set_if_known(holder, "scene_name_sub_folder", False)
    assert vars(holder) == {"known": False}


@pytest.mark.parametrize("newer", [False, True])
def test_a_file_is_imported_under_its_name(
    newer: bool, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Settings(SimpleNamespace):
        def get_editor_property(self, name: str) -> object:
            return getattr(self, name)

        def set_editor_property(self, name: str, value: object) -> None:
            assert hasattr(self, name), f"this engine has no {name}"
            setattr(self, name, value)

        def get_path_name(self) -> str:
            return "/Engine/Transient.Pipeline_0"

    class Mesh(Settings):
        def get_path_name(self) -> str:
            return "/Game/SpineTrack/Avatars/a_7/Pelvis.Pelvis"

    parts = {part: Settings(**dict.fromkeys(f)) for part, f in editor.fields.items()}
    later = {"asset_type_sub_folders": True, "scene_name_sub_folder": True} if newer else {}
    pipeline = Settings(**parts, **later)
    parameters = Settings(is_automated=False, override_pipelines=[])
    imported: list[tuple[object, ...]] = []
    renamed: list[tuple[object, ...]] = []

    def note(calls: list[tuple[object, ...]]) -> Callable[..., bool]:
        def call(*arguments: object) -> bool:
            calls.append(arguments)
            return True

        return call

    manager = SimpleNamespace(create_source_data=str, import_asset=note(imported))
    library = SimpleNamespace(
        does_directory_exist=lambda path: False,
        does_asset_exist=lambda path: newer,
        list_assets=lambda path, recursive: ["skeleton", "mesh"],
        load_asset=lambda path: Mesh() if path == "mesh" else object(),
        rename_asset=note(renamed),
    )
    vars(editor).update(
        InterchangeGenericAssetsPipeline=lambda: pipeline,
        ImportAssetParameters=lambda: parameters,
        InterchangeManager=SimpleNamespace(get_interchange_manager_scripted=lambda: manager),
        SoftObjectPath=str,
        SkeletalMesh=Mesh,
        StaticMesh=type("StaticMesh", (), {}),
        EditorAssetLibrary=library,
    )
    script = load("spinetrack_import")
    monkeypatch.setattr(script.glb, "about", lambda file: {})
    script.import_file(tmp_path / "a_7.glb", "Avatars")
    folder = "/Game/SpineTrack/Avatars/a_7"
    assert imported == [(folder, str(tmp_path / "a_7.glb"), parameters)]
    assert renamed == [(f"{folder}/Pelvis", f"{folder}/a_7")]
    assert vars(parts["mesh_pipeline"]) == {
        "import_static_meshes": False,
        "import_skeletal_meshes": True,
        "create_physics_asset": False,
    }
    assert all(value is False for name, value in vars(pipeline).items() if name in later)
    gltf = "/Interchange/Pipelines/DefaultGLTFPipeline.DefaultGLTFPipeline"
    assert parameters.override_pipelines == ["/Engine/Transient.Pipeline_0", *[gltf][: int(newer)]]


def test_what_the_import_sets_is_checked_before() -> None:
    """Every name in quotes that goes to an Interchange pipeline."""
    text = (SCRIPTS / "spinetrack_import.py").read_text()
    start = text.index("pipeline = unreal.Interchange")
    body = text[start : text.index("manager =", start)]
    asked = set(re.findall(r'[sg]et_editor_property\(\s*"(\w+)"', body))
    check = (SCRIPTS / "spinetrack_check.py").read_text()
    assert asked and all(f'"{name}"' in check for name in asked)
    left = set(re.findall(r'_set_if_known\(\w+, "(\w+)"', text))
    assert left == {"asset_type_sub_folders", "scene_name_sub_folder", "replace_existing"}


def test_the_editor_says_what_there_is_to_do(editor: Editor, tmp_path: Path) -> None:
    editor.Paths = SimpleNamespace(project_dir=lambda: str(tmp_path))
    editor.EditorAssetLibrary = SimpleNamespace(does_asset_exist=lambda path: False)
    load("init_unreal")
    assert editor.lines[0] == "SpineTrackSynth: the engine has what the import needs"
    assert len(editor.lines) == 2 and "avatars export" in editor.lines[1]
