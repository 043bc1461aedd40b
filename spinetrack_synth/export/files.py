"""A folder of exported assets: ``avatars/``, ``places/`` and ``things/``, a file an asset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.avatars.avatar import make_avatar
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.export.avatars import avatar_glb, perform
from spinetrack_synth.export.scenes import asset_name, place_glb, thing_glb
from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.scenes.description import Scene
from spinetrack_synth.scenes.places import PLACES, place
from spinetrack_synth.scenes.things import ASSETS

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
    for done, subject in enumerate(subjects):
        progress(done, len(subjects))
        avatar = make_avatar(subject)
        clip = perform(avatar, performance, fps) if performance else None
        write_atomic(out / "avatars" / f"{subject.subject_id}.glb", avatar_glb(avatar, clip))
    progress(len(subjects), len(subjects))


def export_scene(out: Path, scene: Scene, progress: Progress) -> None:
    """``places/<place>_<variant>.glb`` of the scene's places, and every thing in ``things/``."""
    variants = [(name, v) for name in scene.places for v in range(PLACES[name].variants)]
    wanted = len(variants) + len(ASSETS)
    for done, (name, variant) in enumerate(variants):
        progress(done, wanted)
        path = out / "places" / f"{asset_name(f'{name}/{variant}')}.glb"
        write_atomic(path, place_glb(place(name, variant)))
    for done, key in enumerate(ASSETS, start=len(variants)):
        progress(done, wanted)
        write_atomic(out / "things" / f"{asset_name(key)}.glb", thing_glb(key))
    progress(wanted, wanted)
