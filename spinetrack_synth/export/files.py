"""A folder of exported assets: ``avatars/``, ``places/`` and ``things/``, a file an asset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.making import make_avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.errors import UserError
from spinetrack_synth.export.shapes import asset_name, shape_files
from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.poses.library import Pose
from spinetrack_synth.scenes.description import Scene
from spinetrack_synth.scenes.mesh_props import MeshProp
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.places import PLACES, place
from spinetrack_synth.scenes.placing import take_stance
from spinetrack_synth.scenes.things import ASSETS, unit_surfaces
from spinetrack_synth.shot import Surface

Progress = Callable[[int, int], None]
"""Called with the number of files that are written and the number wanted."""


def export_avatars(
    out: Path,
    subjects: Sequence[Subject],
    progress: Progress,
    performance: Performance | None = None,
    fps: float = 30.0,
) -> None:
    """``avatars/<subject_id>.glb`` of each subject, with a motion where one is given."""
    from spinetrack_synth.export.avatars import avatar_glb, perform

    for done, subject in enumerate(subjects):
        progress(done, len(subjects))
        avatar = make_avatar(subject)
        clip = perform(avatar, performance, fps) if performance else None
        write_atomic(out / "avatars" / f"{subject.subject_id}.glb", avatar_glb(avatar, clip))
    progress(len(subjects), len(subjects))


def export_shapes(
    out: Path, subjects: Sequence[Subject], kind: str, pose: Pose | None, progress: Progress
) -> None:
    """``avatars/<subject_id>.<kind>`` of each subject as it stands at rest or in a pose, its lowest
    point on y = 0.

    Raises UserError where somebody cannot take the pose.
    """
    for done, subject in enumerate(subjects):
        progress(done, len(subjects))
        surfaces = _standing(make_avatar(subject), pose)
        for name, content in shape_files(subject.subject_id, surfaces, kind).items():
            write_atomic(out / "avatars" / name, content)
    progress(len(subjects), len(subjects))


def export_scene(
    out: Path, scene: Scene, props: Sequence[MeshProp], kind: str, progress: Progress
) -> None:
    """``places/<place>_<variant>`` of the scene's places, and in ``things/`` every mat and thing,
    the scene's own from files, ``props``, among them."""
    variants = [(name, v) for name in scene.places for v in range(PLACES[name].variants)]
    own = {prop.thing.asset: prop.unit for prop in props}
    things = [*ASSETS, *own]
    wanted = len(variants) + len(things)
    for done, (name, variant) in enumerate(variants):
        progress(done, wanted)
        for file, content in _place_files(place(name, variant), kind).items():
            write_atomic(out / "places" / file, content)
    for done, key in enumerate(things, start=len(variants)):
        progress(done, wanted)
        surfaces = own[key] if key in own else unit_surfaces(key)
        for file, content in _thing_files(key, surfaces, kind).items():
            write_atomic(out / "things" / file, content)
    progress(wanted, wanted)


def _place_files(place: Place, kind: str) -> dict[str, bytes]:
    name = asset_name(f"{place.name}/{place.variant}")
    if kind == "glb":
        from spinetrack_synth.export.scenes import place_glb

        return {f"{name}.glb": place_glb(place)}
    return shape_files(name, place.surfaces, kind)


def _thing_files(key: str, surfaces: Sequence[Surface], kind: str) -> dict[str, bytes]:
    name = asset_name(key)
    if kind == "glb":
        from spinetrack_synth.export.scenes import thing_glb

        return {f"{name}.glb": thing_glb(key, surfaces)}
    return shape_files(name, surfaces, kind)


def _standing(avatar: Avatar, pose: Pose | None) -> tuple[Surface, ...]:
    """What is drawn of an avatar at rest or in a pose, on the floor."""
    if pose is None:
        person = pose_avatar(avatar, avatar.rig.coordinates)
    else:
        stance = take_stance(avatar, pose, np.random.default_rng(0))
        if stance is None:
            raise UserError(
                f"{avatar.subject.subject_id} cannot take {pose.name}; try another pose"
            )
        person = pose_avatar(avatar, stance.q, stance.fingers)
    return person.surfaces
