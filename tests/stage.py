"""What the pages' commands and snippets name: a dataset and a few seconds of motion."""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from fakes import BallRenderer, ball_source

from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.files import write_motion
from spinetrack_synth.skeleton import NAMES

TRAINING = """
workers = 0
[optimisation]
steps = 2
batch_size = 2
[network]
input_hw = [32, 32]
[[sources]]
annotations = "annotations.json"
images = "OUT/images/train"
[judging]
[[judging.sets]]
name = "the same people"
annotations = "OUT/annotations/person_keypoints_train.json"
"""
"""A training run of a moment."""


def set_stage(folder: Path) -> Path:
    """Write them into a folder, and return it."""
    run_dataset(
        DatasetConfig(scene="balls", count=3, size=(96, 72)),
        folder / "OUT",
        open_source=ball_source,
        open_renderer=lambda backend: BallRenderer(),
    )
    shutil.copytree(folder / "OUT", folder / "spinetrack-yoga-seed0")
    labels = folder / "OUT/annotations/person_keypoints_train.json"
    shutil.copy(labels, folder / "annotations.json")
    tree = load_model(fullbody_path())
    times_s = np.arange(20) / 10
    values = np.tile(tree.default_coordinates[tree.free_index], (len(times_s), 1))
    for name, amount in (("hip_flexion_r", 0.4), ("knee_angle_r", 0.5), ("lumbar_extension", 0.2)):
        values[:, tree.free.index(name)] += amount * (1 - np.cos(2 * np.pi * times_s / 2))
    q = np.array([all_coordinates(tree, z) for z in values])
    walk = CoordinateMotion(tree.coordinates, times_s, q, tree.rotational)
    write_motion(folder / "walk.bvh", walk, tree)
    write_motion(folder / "walk.mot", walk, tree)
    write_motion(folder / "walk.trc", walk, tree)
    rows = [tree.marker_index[name] for name in NAMES]
    world = np.array([marker_positions(tree, frame)[rows] for frame in q])
    z_up_mm = 1000 * world[..., [0, 2, 1]] * [1, -1, 1]
    np.savez(folder / "keypoints.npz", positions=z_up_mm, names=np.array(NAMES))
    (folder / "CONFIG.toml").write_text(TRAINING)
    shutil.copytree(Path(__file__).parents[1] / "pipelines", folder / "pipelines")
    if find_spec("trimesh"):
        _gym(folder)
    if find_spec("cv2") and find_spec("onnx"):
        from pose_networks import stage_files

        stage_files(folder)
    return folder


def _gym(folder: Path) -> None:
    """The scene of the scenes page, its tables as they stand there, and its meshes."""
    import trimesh

    page = (Path(__file__).parents[1] / "docs/scenes.md").read_text()
    blocks = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    (things,) = (block for block in blocks if "[[props]]" in block)
    yoga = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text()
    (folder / "gym.toml").write_text(yoga.replace('name = "yoga"', 'name = "gym"') + things)
    trimesh.creation.box((1.2, 0.45, 0.4)).export(folder / "bench.glb")
    trimesh.creation.cylinder(60, 300).export(folder / "dumbbell.stl")
