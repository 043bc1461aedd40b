"""What a user waits for: every command, the first time on a machine and from then on.

    python benchmarks/start.py [--runs 3] [--only ik validate] [--verbose]

Each command runs in a process and a folder of its own on small inputs, first with an empty cache of
compiled functions, then with what that left there. Printed are CPU and wall seconds, of the later
runs the least, CPU with that of the processes that compile beside it, and how many functions were
compiled, with ``--verbose`` which. A command that lacks an extra or the body data is left out. What
else is cached (body data, the renderer's own kernels) is not emptied, and nothing is fetched:
``assets`` and ``models`` only tell what is there.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from inference import silent
from PIL import Image

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.avatars import assets
from spinetrack_synth.camera import look_at
from spinetrack_synth.cli.assets import describe
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.files import write_motion
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates
from spinetrack_synth.skeleton import NAMES

FRAMES = 120
PICTURES = 12
SMALL = ("--size", "160x120", "--quality", "draft")
NEED_BODY_DATA = ("render", "serve", "avatars export")
FINDS_SOMETHING, REFUSED = 1, 2
"""Exit codes: a validation's that finds something, and that of one who lacks something."""


class Seconds(NamedTuple):
    """What a process took."""

    cpu: float
    wall: float


class Failed(RuntimeError):
    """What a command said last, and its exit code."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__((said.strip().splitlines() or [f"exit code {code}"])[-1])
        self.code = code


def seconds(
    command: Sequence[object],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    allowed: Container[int] = (0,),
    until: str | None = None,
) -> Seconds:
    """What a command takes as a process of its own, one that goes on for ever being stopped as soon
    as it prints a line that begins with ``until``. Raises Failed."""
    env = {**(os.environ if env is None else env)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # pip leaves bytecode beside what it installs
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            list(map(str, command)), env=env, cwd=cwd, stderr=said, text=True,
            stdout=subprocess.PIPE if until else subprocess.DEVNULL,
        )  # fmt: skip
        if process.stdout is not None and until is not None:
            any(line.startswith(until) for line in process.stdout)
            process.terminate()
            process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        if process.returncode not in allowed:
            said.seek(0)
            raise Failed(process.returncode, said.read().decode(errors="replace"))
    return Seconds(usage.ru_utime + usage.ru_stime, wall)


def least(
    command: Sequence[object],
    runs: int,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Seconds:
    """The least CPU and wall seconds of some runs of a command."""
    return _least([seconds(command, env, cwd) for _ in range(runs)])


def _least(taken: Sequence[Seconds]) -> Seconds:
    return Seconds(min(t.cpu for t in taken), min(t.wall for t in taken))


def commands(folder: Path) -> dict[str, list[object]]:
    """Every command, with small inputs written into a folder; outputs go where it runs."""
    tree = load_model(fullbody_path())
    poses = library("yoga")
    ends = [pose_coordinates(tree, poses[name]) for name in ("tadasana", "uttanasana")]
    q = np.array([blend(tree, *ends, share) for share in np.linspace(0, 1, FRAMES)])
    positions_m = np.array([marker_positions(tree, row) for row in q])
    times_s = np.arange(FRAMES) / 100
    trc, motion = folder / "walk.trc", folder / "walk.mot"
    write_trc(trc, MarkerMotion(tree.marker_names, times_s, positions_m))
    write_motion(motion, CoordinateMotion(tree.coordinates, times_s, q, tree.rotational), tree)
    order = [tree.marker_index[name] for name in NAMES]
    people = positions_m[:: FRAMES // (2 * PICTURES), order]
    made, made_found = _files(folder / "made", people[::2])
    real, real_found = _files(folder / "real", people[1::2])
    network = folder / "silent.onnx"
    with contextlib.suppress(ModuleNotFoundError):  # then the command says that it is not there
        silent(network)
    gap = ["gap", "--synthetic", made, "--synthetic-predictions", made_found,
           "--real", real, "--real-predictions", real_found, "--out", "report"]  # fmt: skip
    return {
        "--version": ["--version"],
        "--help": ["--help"],
        "doctor": ["doctor"],
        "assets": ["assets"],
        "models": ["models"],
        "scenes": ["scenes"],
        "poses": ["poses"],
        "rules": ["rules"],
        "avatars list": ["avatars", "list", "--seed", 7],
        "avatars export": ["avatars", "export", "--seed", 7, "--subject", 3, "--out", "people"],
        "motion info": ["motion", "info", motion],
        "motion convert": ["motion", "convert", trc, "converted.mot"],
        "motion plot": ["motion", "plot", motion, "--out", "walk.png"],
        "ik": ["ik", "--markers", trc, "--out", "walk.mot"],
        "ik --filter auto": ["ik", "--markers", trc, "--filter", "auto", "--out", "walk.mot"],
        "anatomy report": ["anatomy", "report", trc, "--out", "report.html"],
        "validate": ["validate", made],
        "predict": ["predict", folder / "made" / "1.jpg", "--model", network, "--provider", "cpu"],
        "evaluate": ["evaluate", "--dataset", made, "--predictions", made_found],
        "gap": gap,
        "render": ["render", "--scenes", "yoga", "--count", 1, *SMALL, "--out", "rendered"],
        "serve": ["serve", "--scene", "yoga", "--port", 0, *SMALL],
    }


def _files(folder: Path, points_m: np.ndarray) -> tuple[Path, Path]:
    """People (N, 37, 3) m as COCO labels beside their pictures, and results near them."""
    folder.mkdir()
    coco = _seen(points_m)
    rng = np.random.default_rng(0)
    results = []
    for image, label in zip(coco["images"], coco["annotations"]):
        noise = rng.integers(0, 256, (25, 25, 3), np.uint8)
        size = (image["width"], image["height"])
        Image.fromarray(noise).resize(size).save(folder / image["file_name"])
        keypoints = np.reshape(label["keypoints"], (-1, 3)) + rng.normal(0, [4, 4, 0], (37, 3))
        results.append({
            "image_id": image["id"], "category_id": 1, "score": 0.9,
            "keypoints": (keypoints * [1, 1, 0.4]).ravel().tolist(),
        })  # fmt: skip
    labels, found = folder / "people.json", folder / "found.json"
    labels.write_text(json.dumps(coco))
    found.write_text(json.dumps(results))
    return labels, found


def _seen(points_m: np.ndarray) -> dict[str, list]:
    """People (N, 37, 3) m as COCO labels, one a picture."""
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


def compiled(folder: Path) -> dict[str, Counter[str]]:
    """How many signatures of which functions a cache holds, by module."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for file in folder.rglob("*"):
        if file.is_file():
            module, _, function = file.name.rpartition("-")[0].partition(".")
            found[module][function] += 1
    return dict(sorted(found.items()))


def listed(functions: Mapping[str, Counter[str]]) -> Iterator[str]:
    """A line a module."""
    for module, counts in functions.items():
        names = (f"{n} x{count}" if count > 1 else n for n, count in sorted(counts.items()))
        yield f"    {module}: {', '.join(names)}"


def measured(title: str, command: Sequence[object], runs: int, kept: Path) -> tuple[Seconds, ...]:
    """What a command takes first and then, the least of some runs."""
    env = os.environ | {"NUMBA_CACHE_DIR": str(kept)}
    until = "listening at" if title == "serve" else None
    taken = []
    for _ in range(1 + runs):
        with tempfile.TemporaryDirectory() as fresh:
            allowed = (0, FINDS_SOMETHING) if title == "validate" else (0,)
            whole = [sys.executable, "-m", "spinetrack_synth", *command]
            taken.append(seconds(whole, env, Path(fresh), allowed, until))
    return taken[0], _least(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs with compiled functions")
    parser.add_argument("--only", nargs="+", metavar="COMMAND", help="these alone")
    parser.add_argument("--verbose", action="store_true", help="name what was compiled")
    arguments = parser.parse_args()
    compileall.compile_dir(Path(assets.__file__).parents[1], quiet=1)
    data = assets.state()
    print("| seconds          | first, CPU |   wall | compiled | then, CPU |  wall |")
    print("|---" * 6 + "|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, command in commands(folder).items():
            if arguments.only and title not in arguments.only:
                continue
            kept = folder / f"compiled {title}"
            try:
                if title in NEED_BODY_DATA and not data.sound:
                    raise Failed(REFUSED, f"body data: {describe(data)}")
                first, then = measured(title, command, arguments.runs, kept)
            except Failed as failed:
                how = "left out" if failed.code == REFUSED else "failed"
                print(f"| {title:16} | {how}: {failed} |", flush=True)
                continue
            functions = compiled(kept)
            print(
                f"| {title:16} | {first.cpu:10.2f} | {first.wall:6.2f} |"
                f" {sum(map(Counter.total, functions.values())):8} |"
                f" {then.cpu:9.2f} | {then.wall:5.2f} |",
                flush=True,
            )
            for line in listed(functions) if arguments.verbose else ():
                print(line, flush=True)


if __name__ == "__main__":
    main()
