"""What a user waits for: whole commands, the first time on a machine and from then on.

    python benchmarks/start.py [--runs 3] [--only ik]

Each command runs in a process of its own, first with an empty cache of compiled functions, then
with what that left there. Printed are CPU and wall seconds, of the later runs the least, and how
many functions were compiled. ``render`` needs the body data (``spinetrack-synth assets``) and draws
one small picture.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.camera import look_at
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates
from spinetrack_synth.skeleton import NAMES

FRAMES = 120

RENDER = """
import sys, tempfile
from spinetrack_synth.cli import main
with tempfile.TemporaryDirectory() as folder:
    sys.argv += ["--out", folder]
    main()
"""


class Seconds(NamedTuple):
    """What a process took."""

    cpu: float
    wall: float


def seconds(
    command: Sequence[object], env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Seconds:
    """What a command takes as a process of its own. Raises RuntimeError where it fails."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            list(map(str, command)), env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        if process.returncode not in (0, 1):  # 1: a validation that finds something
            said.seek(0)
            raise RuntimeError(f"{command}: {said.read().decode()}")
    return Seconds(usage.ru_utime + usage.ru_stime, wall)


def least(
    command: Sequence[object],
    runs: int,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Seconds:
    """The least CPU and wall seconds of some runs of a command."""
    taken = [seconds(command, env, cwd) for _ in range(runs)]
    return Seconds(min(t.cpu for t in taken), min(t.wall for t in taken))


def commands(folder: Path) -> dict[str, list[object]]:
    """The commands that compile, with small inputs written into a folder."""
    tree = load_model(fullbody_path())
    poses = library()
    ends = [pose_coordinates(tree, poses[name]) for name in ("tadasana", "uttanasana")]
    q = [blend(tree, *ends, share) for share in np.linspace(0, 1, FRAMES)]
    positions_m = np.array([marker_positions(tree, row) for row in q])
    trc, people = folder / "walk.trc", folder / "people.json"
    write_trc(trc, MarkerMotion(tree.marker_names, np.arange(FRAMES) / 100, positions_m))
    order = [tree.marker_index[name] for name in NAMES]
    people.write_text(json.dumps(_seen(positions_m[::10, order])))
    motion = folder / "walk.mot"
    return {
        "ik": ["ik", "--markers", trc, "--out", motion],
        "ik --filter auto": ["ik", "--markers", trc, "--filter", "auto", "--out", motion],
        "anatomy report": ["anatomy", "report", trc, "--out", folder / "report.html"],
        "validate": ["validate", people],
        "render": ["render", "--scenes", "yoga", "--count", 1, "--size", "160x120",
                   "--quality", "draft"],
    }  # fmt: skip


def _seen(points_m: np.ndarray) -> dict[str, object]:
    """People (N, 37, 3) m as a COCO file, one a picture."""
    images, annotations = [], []
    for number, points in enumerate(points_m, 1):
        middle = points.mean(0)
        camera = look_at(
            middle + np.array([4.0, 0.5, 1.0]), middle, focal_px=900, width=1000, height=1000
        )
        px = camera.project(points)
        low, size = px.min(0), np.ptp(px, axis=0)
        keypoints = np.column_stack([px, np.full(len(px), 2)]).ravel()
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 1000, "height": 1000})
        annotations.append({
            "id": number, "image_id": number, "category_id": 1, "iscrowd": 0,
            "keypoints": keypoints.tolist(), "num_keypoints": len(px),
            "bbox": [*low.tolist(), *size.tolist()], "area": float(0.5 * size.prod()),
        })  # fmt: skip
    category = {"id": 1, "name": "person", "supercategory": "person", "keypoints": list(NAMES)}
    return {"images": images, "annotations": annotations, "categories": [category]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs with compiled functions")
    parser.add_argument("--only", help="this command alone")
    arguments = parser.parse_args()
    print("seconds               first: CPU   wall   functions   then: CPU   wall")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, command in commands(folder).items():
            if arguments.only not in (None, title):
                continue
            kept = folder / f"compiled {title}"
            env = os.environ | {"NUMBA_CACHE_DIR": str(kept)}
            whole = [sys.executable, "-m", "spinetrack_synth", *command]
            if title == "render":  # a folder that is complete would be left as it is
                whole = [sys.executable, "-c", RENDER, *command]
            first = seconds(whole, env)
            made = sum(file.is_file() for file in kept.rglob("*"))
            then = least(whole, arguments.runs, env)
            print(
                f"{title:22} {first.cpu:9.2f} {first.wall:6.2f} {made:11}"
                f" {then.cpu:11.2f} {then.wall:6.2f}"
            )


if __name__ == "__main__":
    main()
