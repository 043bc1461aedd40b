"""Scene descriptions, and the shots made from them."""

from spinetrack_synth.scenes.clips import make_clip
from spinetrack_synth.scenes.description import (
    Scene,
    describe,
    load_scene,
    own_scene,
    scene_names,
)
from spinetrack_synth.scenes.mesh_props import load_props
from spinetrack_synth.scenes.mix import SceneMix, read_mix
from spinetrack_synth.scenes.placing import Cast
from spinetrack_synth.scenes.shots import make_shot, people_counts

__all__ = [
    "Cast",
    "Scene",
    "SceneMix",
    "describe",
    "load_props",
    "load_scene",
    "make_clip",
    "make_shot",
    "own_scene",
    "people_counts",
    "read_mix",
    "scene_names",
]
