"""People that a tiny network can learn, and the configuration of a run on them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from made_people import make_coco
from PIL import Image

from spinetrack_synth.coco.writing import encode, file_bytes
from spinetrack_synth.drawing.person import Person, draw_person
from spinetrack_synth.drawing.pixels import PillowCanvas
from spinetrack_synth.skeleton import LINKS, NAMES
from spinetrack_synth.standing_keypoints import STANDING_M

SIDE = 64
"""Of pictures; crops are half as wide and high, so that a step takes a moment."""


def draw_people(folder: Path, name: str, count: int, seed: int) -> Path:
    """Write pictures with one drawn skeleton each, and their labels, whose path is returned."""
    rng = np.random.default_rng(seed)
    standing = np.array([STANDING_M[each] for each in NAMES])
    people = []
    (folder / "images" / name).mkdir(parents=True)
    for number in range(count):
        turn, lean = rng.uniform(-np.pi, np.pi), rng.uniform(-0.5, 0.5)
        across = standing[:, 2] * np.cos(turn) + standing[:, 0] * np.sin(turn)
        across += rng.normal(0, 0.03, 37)
        flat = np.column_stack([across, 0.9 - standing[:, 1]])
        cos, sin = np.cos(lean), np.sin(lean)
        points = flat @ np.array([[cos, sin], [-sin, cos]]) * rng.uniform(24, 30) + SIDE / 2
        people.append(points)
        picture = Image.new("RGB", (SIDE, SIDE), tuple(rng.integers(0, 160, 3).tolist()))
        draw_person(PillowCanvas(picture), Person(points, np.full(37, 2), NAMES, LINKS), 2.0)
        picture.save(folder / "images" / name / f"{number:06d}.png")
    coco = make_coco(np.array(people), size=SIDE)
    path = folder / "annotations" / f"person_keypoints_{name}.json"
    path.parent.mkdir(exist_ok=True)
    lines = (map(encode, records) for records in (coco.images, coco.annotations))
    path.write_bytes(file_bytes(*lines))
    return path


def write_config(path: Path, more: str = "", workers: int = 0, **optimisation: Any) -> Path:
    """A configuration beside ``annotations``: the small network on crops of 32 x 32, eight steps of
    four people, judged on the set ``val`` where ``more`` does not say otherwise."""
    plan = {"steps": 8, "batch_size": 4, "save_every": 2, "warmup_steps": 2} | optimisation
    told = "\n".join(f"{name} = {_toml(value)}" for name, value in plan.items())
    path.write_text(f"""
workers = {workers}
[optimisation]
{told}
[network]
name = "small"
input_hw = [32, 32]
[[sources]]
annotations = "annotations/person_keypoints_train.json"
licence = "CC0-1.0"
{more or JUDGED}""")
    return path


JUDGED = """
[judging]
every = 4
[[judging.sets]]
name = "val"
annotations = "annotations/person_keypoints_val.json"
"""


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def environment(cache: Path, **more: str) -> dict[str, str]:
    """Of a process that trains on one thread, with its own cache of crops."""
    return {**os.environ, "SPINETRACK_SYNTH_CACHE": str(cache), "OMP_NUM_THREADS": "1", **more}


def started(config: Path, out: Path, env: Mapping[str, str]) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "spinetrack_synth", "train", str(config), "--out", str(out)]
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
