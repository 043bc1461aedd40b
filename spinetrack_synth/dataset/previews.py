"""Pictures of scenes and poses on request, and a sheet with their skeletons."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.avatars.cast import Cast
from spinetrack_synth.dataset.layout import CONTACT_SHEET
from spinetrack_synth.dataset.records import encode_image
from spinetrack_synth.drawing.sheet import Tile, contact_sheet
from spinetrack_synth.labels import annotate
from spinetrack_synth.poses.library import library
from spinetrack_synth.rendering import Quality, Renderer, open_renderer
from spinetrack_synth.scenes import load_scene, make_shot, scene_names
from spinetrack_synth.scenes.portrait import portrait
from spinetrack_synth.shot import Shot

Progress = Callable[[int, int], None]

SIZE: Final = (480, 480)
SEED: Final = 1


def draw_scenes(folder: Path, progress: Progress) -> None:
    """An example of every place of every scene, ``<scene>_<place>.jpg``, and a sheet of all."""
    wanted = [(name, place) for name in scene_names() for place in load_scene(name).places]
    cast = Cast(SEED)
    tiles = []
    progress(0, len(wanted))
    with closing(open_renderer()) as renderer:
        for number, (name, place) in enumerate(wanted, start=1):
            scene = replace(load_scene(name), places={place: 1.0})
            shot = make_shot(scene, SEED, number, cast, SIZE)
            tiles.append(_draw(shot, folder, f"{name}_{place}", renderer))
            progress(number, len(wanted))
    write_atomic(folder / CONTACT_SHEET, contact_sheet(tiles))


def draw_poses(folder: Path, progress: Progress) -> None:
    """Every pose of the library, ``<pose>.jpg``, each by another person, and a sheet of all."""
    poses = list(library().values())
    cast = Cast(SEED)
    tiles = []
    progress(0, len(poses))
    with closing(open_renderer()) as renderer:
        for number, pose in enumerate(poses):
            rng = np.random.default_rng([SEED, number])
            shot = portrait(pose, cast.avatar(number), rng, SIZE)
            if shot is not None:
                tiles.append(_draw(shot, folder, pose.name, renderer))
            progress(number + 1, len(poses))
    write_atomic(folder / CONTACT_SHEET, contact_sheet(tiles))


def _draw(shot: Shot, folder: Path, name: str, renderer: Renderer) -> Tile:
    frame = renderer.render(shot, quality=Quality.NORMAL)
    content = encode_image(frame.rgb, "jpg")
    write_atomic(folder / f"{name}.jpg", content)
    return Tile(content, [label.keypoints for label in annotate(shot, frame)], name)
