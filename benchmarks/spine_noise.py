"""Regional spine angles from noisy markers: single frames, and sequences with ``--filter auto``.

    python benchmarks/spine_noise.py [--noise-mm 5] [--seconds 3 2 1.5] [--seed 0]

A motion goes through ten poses of the library at 100 frames a second, so many seconds from one to
the next. Its markers get independent noise on every axis and are fitted as ``ik`` does, as they are
and smoothed. Printed is the root mean square error of every regional angle in degrees.
"""

from __future__ import annotations

import argparse
from dataclasses import astuple, fields

import numpy as np

from spinetrack_synth.anatomy.ik import solve
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.spine import RegionalAngles, regional_angles
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.smoothing import smooth
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates
from spinetrack_synth.skeleton import NAMES

RATE_HZ = 100.0
POSES = (
    "tadasana", "urdhva_hastasana", "uttanasana", "virabhadrasana_2", "parivrtta_trikonasana",
    "navasana", "marichyasana", "balasana", "ustrasana", "salabhasana",
)  # fmt: skip


def motion(tree: Tree, seconds: float) -> np.ndarray:
    """Coordinates (F, n) that start and end without a jerk at every pose."""
    keys = [pose_coordinates(tree, library()[name]) for name in POSES]
    steps = np.arange(round(seconds * RATE_HZ)) / round(seconds * RATE_HZ)
    shares = steps**3 * (10 - 15 * steps + 6 * steps**2)
    return np.array([blend(tree, a, b, s) for a, b in zip(keys, keys[1:]) for s in shares])


def angles(tree: Tree, q: np.ndarray) -> np.ndarray:
    """Regional angles (F, 9), degrees."""
    return np.array([astuple(regional_angles(tree, row)) for row in q])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--noise-mm", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0, 2.0, 1.5])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tree = load_model(fullbody_path())
    regions = [field.name.removesuffix("_deg") for field in fields(RegionalAngles)]
    print(" " * 34 + " ".join(f"{name.replace('_', ' '):>18}" for name in regions))
    for seconds in given.seconds:
        q = motion(tree, seconds)
        truth = angles(tree, q)
        times_s = np.arange(len(q)) / RATE_HZ
        for names in (tree.marker_names, NAMES):
            rows = [tree.marker_index[name] for name in names]
            positions_m = np.array([marker_positions(tree, frame)[rows] for frame in q])
            rng = np.random.default_rng(given.seed)
            positions_m += rng.normal(0, given.noise_mm / 1000, positions_m.shape)
            recorded = MarkerMotion(tuple(names), times_s, positions_m)
            for how, markers in (("as it is", recorded), ("smoothed", smooth(recorded)[0])):
                found = angles(tree, solve(tree, names, markers.positions_m).coordinates)
                error = np.sqrt(((found - truth) ** 2).mean(axis=0))
                label = f"{seconds:3.1f} s a pose, {len(names)} markers, {how}"
                print(f"{label:34}" + " ".join(f"{value:18.2f}" for value in error))


if __name__ == "__main__":
    main()
