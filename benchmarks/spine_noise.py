"""Regional spine angles from noisy markers: single frames, and sequences with ``--filter auto``.

    python benchmarks/spine_noise.py [--noise-mm 5] [--seconds 3 2 1.5 1] [--seed 0]

A motion goes through ten poses of the library at 100 frames a second, so many seconds from one to
the next. Its markers get independent noise on every axis and are fitted as the command ``ik`` does,
as they are and with ``--filter auto``. Printed is the root mean square error of every regional
angle in degrees, and beside it the Cramér-Rao bound: what no estimator without bias can do better
that knows one frame alone.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import astuple, fields
from pathlib import Path
from typing import Literal

import numpy as np

from spinetrack_synth.anatomy.kinematics import (
    all_coordinates,
    marker_positions,
    point_jacobian,
)
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.spine import RegionalAngles, regional_angles
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.fitting import fit
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.motion.trial import Request, prepare
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates
from spinetrack_synth.skeleton import NAMES

STEP = 1e-6
BOUND_FRAMES = 20
FILTERS: tuple[Literal["auto"] | None, ...] = (None, "auto")
RATE_HZ = 100.0
POSES = (
    "tadasana", "urdhva_hastasana", "uttanasana", "virabhadrasana_2", "parivrtta_trikonasana",
    "navasana", "marichyasana", "balasana", "ustrasana", "salabhasana",
)  # fmt: skip


def motion(tree: Tree, seconds: float) -> np.ndarray:
    """Coordinates (F, n) that start and end without a jerk at every pose."""
    keys = [pose_coordinates(tree, library("yoga")[name]) for name in POSES]
    steps = np.arange(round(seconds * RATE_HZ)) / round(seconds * RATE_HZ)
    shares = steps**3 * (10 - 15 * steps + 6 * steps**2)
    return np.array([blend(tree, a, b, s) for a, b in zip(keys, keys[1:]) for s in shares])


def angles(tree: Tree, q: np.ndarray) -> np.ndarray:
    """Regional angles (F, 9), degrees."""
    return np.array([astuple(regional_angles(tree, row)) for row in q])


def bound(tree: Tree, q: np.ndarray, rows: list[int], noise_m: float) -> np.ndarray:
    """Cramér-Rao bound of the regional angles (9,), degrees, root mean square over frames."""
    variance = []
    for frame in q:
        jacobian = point_jacobian(tree, frame, tree.marker_body[rows], tree.marker_offset_m[rows])
        jacobian = jacobian.reshape(-1, len(frame)) @ tree.coupling
        covariance = noise_m**2 * np.linalg.pinv(jacobian.T @ jacobian, rcond=1e-9, hermitian=True)
        z = frame[tree.free_index]
        moved = [all_coordinates(tree, z + step) for step in STEP * np.eye(len(z))]
        slopes = (angles(tree, np.array(moved)) - angles(tree, frame[None])) / STEP
        variance.append(np.einsum("ia,ij,ja->a", slopes, covariance, slopes))
    return np.sqrt(np.mean(variance, axis=0))


def tell(label: str, values: np.ndarray) -> None:
    print(f"{label:38}" + " ".join(f"{value:18.2f}" for value in values), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--noise-mm", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0, 2.0, 1.5, 1.0])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tree = load_model(fullbody_path())
    regions = [field.name.removesuffix("_deg") for field in fields(RegionalAngles)]
    print(" " * 38 + " ".join(f"{name.replace('_', ' '):>18}" for name in regions))
    for seconds in given.seconds:
        q = motion(tree, seconds)
        truth = angles(tree, q)
        times_s = np.arange(len(q)) / RATE_HZ
        for names in (tree.marker_names, NAMES):
            rows = [tree.marker_index[name] for name in names]
            positions_m = np.array([marker_positions(tree, frame)[rows] for frame in q])
            rng = np.random.default_rng(given.seed)
            positions_m += rng.normal(0, given.noise_mm / 1000, positions_m.shape)
            if seconds == given.seconds[0]:
                least = bound(tree, q[::BOUND_FRAMES], rows, given.noise_mm / 1000)
                tell(f"{len(names)} markers, bound of single frames", least)
            for filter_hz in FILTERS:
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder) / "recorded.trc"
                    write_trc(file, MarkerMotion(tuple(names), times_s, positions_m))
                    trial = prepare(Request(fullbody_path(), file, filter_hz=filter_hz))
                found = angles(tree, fit(trial).coordinates)
                error = np.sqrt(((found - truth) ** 2).mean(axis=0))
                tell(f"{seconds:g} s a pose, {len(names)} markers, --filter {filter_hz}", error)


if __name__ == "__main__":
    main()
