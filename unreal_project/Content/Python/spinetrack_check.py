"""Whether the engine and what is installed beside it are enough for the project.

Runs in the editor:

    py spinetrack_check.py

The import runs it first and stops where something is missing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import unreal

LEAST_ENGINE = (5, 4)
"""Its reference has every field below, and UnrealCV 1.1.2 was built with it."""
LEAST_UNREALCV = (1, 1)
"""Knows ``vget /unrealcv/commands`` and ``vget /object/NAME/bones``."""

NAMES = {
    "EditorActorSubsystem": "Unreal Engine's editor",
    "EditorAssetLibrary": "the plugin EditorScriptingUtilities",
    "ImportAssetParameters": "Unreal Engine's Interchange",
    "InterchangeGenericAssetsPipeline": "the plugin Interchange",
    "InterchangeManager": "Unreal Engine's Interchange",
    "LevelEditorSubsystem": "Unreal Engine's editor",
}
"""Names of the editor's Python, and what brings them."""

FIELDS = {
    "mesh_pipeline": ("import_static_meshes", "import_skeletal_meshes", "create_physics_asset"),
    "common_meshes_properties": (
        "recompute_normals",
        "recompute_tangents",
        "keep_sections_separate",
    ),
}
"""What the import sets on the parts of an Interchange pipeline."""

CLASSES = {
    "/Script/UnrealCV.UnrealcvGameMode": "the plugin UnrealCV, in Plugins/UnrealCV",
    "/Script/SpineTrackSynth.SpineTrackAvatar": "the project's module: compile it",
}
"""Classes of C++ that must be loaded, and what brings them."""


def faults(engine_version: str) -> list[str]:
    """What is missing, a line each; nothing where the project can be imported."""
    if _numbers(engine_version) < LEAST_ENGINE:
        return [
            f"this is Unreal Engine {engine_version}: {_dotted(LEAST_ENGINE)} or newer is needed"
        ]
    found = [
        f"no unreal.{name}: it comes with {source}"
        for name, source in NAMES.items()
        if not hasattr(unreal, name)
    ]
    found += [
        f"no {name}: it comes with {source}"
        for name, source in CLASSES.items()
        if unreal.load_class(None, name) is None
    ]
    if hasattr(unreal, "InterchangeGenericAssetsPipeline"):
        pipeline = unreal.InterchangeGenericAssetsPipeline()
        for part, fields in FIELDS.items():
            holder = getattr(pipeline, part, None)
            found += [
                f"an Interchange pipeline has no {part}.{field} in Unreal Engine {engine_version}"
                for field in fields
                if not hasattr(holder, field)
            ]
    return found


def remarks(project: Path) -> list[str]:
    """What works with less than it could; ``project`` is the folder of the .uproject."""
    plugin = project / "Plugins/UnrealCV/UnrealCV.uplugin"
    if not plugin.is_file():
        return []
    version = str(json.loads(plugin.read_text(encoding="utf-8-sig"))["VersionName"])
    if _numbers(version) < LEAST_UNREALCV:
        return [
            f"UnrealCV {version} does not list its commands and tells no bones: "
            f"{_dotted(LEAST_UNREALCV)} or newer does"
        ]
    return []


def main() -> None:
    """Say what is missing, or that nothing is."""
    found = faults(unreal.SystemLibrary.get_engine_version())
    for line in found:
        unreal.log_error(f"SpineTrackSynth: {line}")
    for line in remarks(Path(unreal.Paths.project_dir())):
        unreal.log_warning(f"SpineTrackSynth: {line}")
    if not found:
        unreal.log("SpineTrackSynth: the engine has what the import needs")


def _numbers(version: str) -> tuple[int, int]:
    """The first two numbers of a version; 0.0 where it has none."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    main()
