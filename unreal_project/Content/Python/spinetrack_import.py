"""Bring exported avatars, places and things into the project, and build the levels.

Runs in the editor:

    py spinetrack_import.py
    py spinetrack_import.py --only avatars

A file of ``Exported/{avatars,places,things}`` becomes ``/Game/SpineTrack/<Kind>/<name>/<name>``,
where the C++ module looks for it. Each place gets a level of its own, and ``Stage`` is the empty
level that the game starts in.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import glb
import spinetrack_check
import unreal

ROOT = "/Game/SpineTrack"
GLTF_PIPELINE = "/Interchange/Pipelines/DefaultGLTFPipeline"
KINDS = {"avatars": "Avatars", "things": "Things", "places": "Places"}
PREVIEW_TAG = "SpineTrackPreview"
CM_PER_M = 100.0
PREVIEW_CANDELA = 40.0


def main() -> None:
    """Import what the arguments ask for; by default everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=KINDS)
    chosen = parser.parse_args().only
    if faults := spinetrack_check.faults(unreal.SystemLibrary.get_engine_version()):
        raise RuntimeError("; ".join(faults))
    exported = Path(unreal.Paths.project_dir()) / "Exported"
    for kind in [chosen] if chosen else KINDS:
        files = sorted((exported / kind).glob("*.glb"))
        if not files:
            unreal.log_warning(f"nothing in {exported / kind}: run spinetrack-synth avatars export")
        for file in files:
            import_file(file, KINDS[kind])
            if kind == "places":
                build_place(file)
    build_stage()
    unreal.EditorAssetLibrary.save_directory(ROOT, only_if_is_dirty=True, recursive=True)


# Assets


def import_file(file: Path, kind: str) -> None:
    """One file as a mesh of its name, with its materials, textures and motion beside it."""
    glb.about(file)  # raises where the file is none of ours
    folder = f"{ROOT}/{kind}/{file.stem}"
    if unreal.EditorAssetLibrary.does_directory_exist(folder):
        unreal.EditorAssetLibrary.delete_directory(folder)
    skeletal = kind == "Avatars"
    pipeline = unreal.InterchangeGenericAssetsPipeline()
    # Engines that do not know these put everything into the one folder.
    _set_if_known(pipeline, "asset_type_sub_folders", False)
    _set_if_known(pipeline, "scene_name_sub_folder", False)
    meshes = pipeline.get_editor_property("mesh_pipeline")
    meshes.set_editor_property("import_static_meshes", not skeletal)
    meshes.set_editor_property("import_skeletal_meshes", skeletal)
    meshes.set_editor_property("create_physics_asset", False)
    common = pipeline.get_editor_property("common_meshes_properties")
    common.set_editor_property("recompute_normals", False)
    common.set_editor_property("recompute_tangents", True)
    common.set_editor_property("keep_sections_separate", True)
    manager = unreal.InterchangeManager.get_interchange_manager_scripted()
    parameters = unreal.ImportAssetParameters()
    parameters.set_editor_property("is_automated", True)
    _set_if_known(parameters, "replace_existing", True)  # the folder was deleted anyway
    pipelines = [pipeline.get_path_name()]
    if unreal.EditorAssetLibrary.does_asset_exist(GLTF_PIPELINE):
        # What the engine adds when it imports glTF by itself, for the materials.
        pipelines.append(f"{GLTF_PIPELINE}.DefaultGLTFPipeline")
    parameters.set_editor_property("override_pipelines", [*map(unreal.SoftObjectPath, pipelines)])
    source = manager.create_source_data(str(file))
    if not manager.import_asset(folder, source, parameters):
        raise RuntimeError(f"{file} could not be imported")
    _name_mesh(folder, file.stem, unreal.SkeletalMesh if skeletal else unreal.StaticMesh)
    unreal.log(f"imported {file.name}")


def _set_if_known(holder: unreal.Object | unreal.StructBase, name: str, value: object) -> None:
    if hasattr(holder, name):
        holder.set_editor_property(name, value)


def _name_mesh(folder: str, name: str, kind: type[unreal.Object]) -> None:
    """Give the only mesh of a folder the name that it is asked for by."""
    assets = unreal.EditorAssetLibrary.list_assets(folder, recursive=True)
    meshes = [a for a in map(unreal.EditorAssetLibrary.load_asset, assets) if isinstance(a, kind)]
    if len(meshes) != 1:
        raise RuntimeError(f"{folder} holds {len(meshes)} meshes instead of one")
    path = f"{folder}/{name}"
    now = meshes[0].get_path_name().split(".")[0]
    if now != path and not unreal.EditorAssetLibrary.rename_asset(now, path):
        raise RuntimeError(f"{now} could not be renamed {path}")


# Levels


def build_place(file: Path) -> None:
    """A level with the place where it is in the world, and lamps for those who look at it."""
    levels = unreal.get_editor_subsystem(unreal.LevelEditorSubsystem)
    _new_level(f"{ROOT}/Levels/{file.stem}")
    mesh = unreal.EditorAssetLibrary.load_asset(f"{ROOT}/Places/{file.stem}/{file.stem}")
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    actor = actors.spawn_actor_from_object(mesh, unreal.Vector(0.0, 0.0, 0.0))
    actor.set_actor_label(file.stem)
    place = glb.about(file)
    panels = place.get("windows", []) + place.get("lamps", [])
    for panel in panels:
        _preview_panel(panel)
    if not panels:
        _preview_sun()
    _preview_mat()
    levels.save_current_level()


def build_stage() -> None:
    """The level that the game starts in: nothing but a fixed exposure and a floor for the pawn."""
    levels = unreal.get_editor_subsystem(unreal.LevelEditorSubsystem)
    _new_level(f"{ROOT}/Stage")
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    volume = actors.spawn_actor_from_class(unreal.PostProcessVolume, unreal.Vector(0.0, 0.0, 0.0))
    volume.set_editor_property("unbound", True)
    settings = volume.get_editor_property("settings")
    for name, value in {
        "auto_exposure_method": unreal.AutoExposureMethod.AEM_MANUAL,
        "auto_exposure_apply_physical_camera_exposure": False,
        "auto_exposure_bias": 0.0,
        "motion_blur_amount": 0.0,
        "bloom_intensity": 0.0,
        "vignette_intensity": 0.0,
    }.items():
        settings.set_editor_property(f"override_{name}", True)
        settings.set_editor_property(name, value)
    volume.set_editor_property("settings", settings)
    # The player's pawn looks at nothing, far below: pictures are taken by cameras of their own.
    actors.spawn_actor_from_class(unreal.PlayerStart, unreal.Vector(0.0, 0.0, -100000.0))
    levels.save_current_level()


def _new_level(path: str) -> None:
    if unreal.EditorAssetLibrary.does_asset_exist(path):
        unreal.EditorAssetLibrary.delete_asset(path)
    levels = unreal.get_editor_subsystem(unreal.LevelEditorSubsystem)
    if not levels.new_level(path):
        raise RuntimeError(f"{path} could not be made")


def to_unreal(point_world: list[float]) -> unreal.Vector:
    """A point (3,) m of the exported world (X forward, Y up, Z right) in Unreal's cm."""
    x, y, z = point_world
    return unreal.Vector(CM_PER_M * x, CM_PER_M * z, CM_PER_M * y)


def _preview_panel(panel: dict[str, Any]) -> None:
    """A window or lamp of the place; taken away in the game, which brings its own lights."""
    center = to_unreal(panel["center_world"])
    half_u, half_v = to_unreal(panel["half_u_world"]), to_unreal(panel["half_v_world"])
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    # The swap of axes turns the sign of the cross product.
    facing = unreal.MathLibrary.make_rot_from_xy(half_v.cross(half_u), half_u)
    light = actors.spawn_actor_from_class(unreal.RectLight, center, facing)
    component = light.get_component_by_class(unreal.RectLightComponent)
    component.set_editor_property("intensity_units", unreal.LightUnits.CANDELAS)
    component.set_editor_property("intensity", PREVIEW_CANDELA)
    component.set_editor_property("source_width", 2.0 * half_u.length())
    component.set_editor_property("source_height", 2.0 * half_v.length())
    _mark_as_preview(light)


def _preview_sun() -> None:
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    origin = unreal.Vector(0.0, 0.0, 0.0)
    afternoon = unreal.Rotator(roll=0.0, pitch=-40.0, yaw=30.0)
    for kind in (unreal.DirectionalLight, unreal.SkyAtmosphere, unreal.SkyLight):
        _mark_as_preview(actors.spawn_actor_from_class(kind, origin, afternoon))


def _preview_mat() -> None:
    """A mat in the middle, where the people will be."""
    path = f"{ROOT}/Things/mat_0/mat_0"
    if unreal.EditorAssetLibrary.does_asset_exist(path):
        actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
        mesh = unreal.EditorAssetLibrary.load_asset(path)
        _mark_as_preview(actors.spawn_actor_from_object(mesh, unreal.Vector(0.0, 0.0, 0.0)))


def _mark_as_preview(actor: unreal.Actor) -> None:
    actor.set_editor_property("tags", [unreal.Name(PREVIEW_TAG)])


if __name__ == "__main__":
    main()
