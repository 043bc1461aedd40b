"""Where the labels lie in the body: people in random yoga poses, checked against their skin.

    python benchmarks/anatomy.py [--people 200] [--seed 1]

Every check is made on the posed mesh alone, not with what placed the points: a point is inside
when the skin winds round it; the depth of a vertebra is the way straight back out of the body;
left is the side of the base mesh that MakeHuman calls left.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.inside import distance_along, skin_triangles, winding_number
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.avatars.rig import VERTEBRAE, vertebral_centres
from spinetrack_synth.poses.ground import solve_contacts
from spinetrack_synth.poses.library import either_side, library
from spinetrack_synth.poses.sampling import sample_pose
from spinetrack_synth.shot import PosedPerson
from spinetrack_synth.skeleton import INDEX, NAMES, SPINE

INTERIOR = SPINE + tuple(
    INDEX[f"{side}_{joint}"]
    for side in ("left", "right")
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "clavicle", "latissimus")
)
"""Keypoints that must lie inside the skin; the others lie on it."""


@dataclass(frozen=True)
class Findings:
    """``winding`` (N, P) of the interior keypoints; ``depth_mm`` (N, 24) under the back at rest and
    ``posed_depth_mm`` in the pose; ``bend_deg`` (N, 7) between neighbouring segments of the
    nine-point spine; ``wrong_side`` (N,) paired keypoints nearer to the other half, at rest."""

    winding: NDArray[np.float64]
    depth_mm: NDArray[np.float64]
    posed_depth_mm: NDArray[np.float64]
    bend_deg: NDArray[np.float64]
    wrong_side: NDArray[np.int64]


def examine(people: int, seed: int) -> Findings:
    """Random people, each at rest and in one random pose of the library."""
    triangles = skin_triangles(assets.load())
    left_half = assets.load().vertices[:, 0] > 1e-3
    right_half = assets.load().vertices[:, 0] < -1e-3
    rng = np.random.default_rng(seed)
    poses = list(library("yoga").values())
    rows: dict[str, list] = {name: [] for name in Findings.__dataclass_fields__}
    for k in range(people):
        avatar = bare_avatar(sample_subject(seed, k))
        pose = either_side(poses[rng.integers(len(poses))], rng)
        q = sample_pose(avatar.tree, pose, rng)
        q = solve_contacts(avatar.tree, q, pose.contacts, avatar.probe, pose.reaches).q
        rest, posed = pose_avatar(avatar, avatar.rig.coordinates), pose_avatar(avatar, q)
        rows["winding"].append(
            winding_number(posed.keypoints_world[list(INTERIOR)], posed.skin_world, triangles)
        )
        rows["depth_mm"].append(_depths_mm(avatar.tree, rest, triangles))
        rows["posed_depth_mm"].append(_depths_mm(avatar.tree, posed, triangles))
        rows["bend_deg"].append(_bends_deg(posed.keypoints_world[list(SPINE)]))
        rows["wrong_side"].append(_wrong_side(rest, left_half, right_half))
    return Findings(**{name: np.array(values) for name, values in rows.items()})


def _depths_mm(tree, person: PosedPerson, triangles: NDArray) -> list[float]:
    centres = vertebral_centres(tree, person.body2world)
    return [
        1000 * distance_along(
            centre, -person.body2world[tree.body_index[name], :3, 0], person.skin_world, triangles
        )
        for name, centre in zip(VERTEBRAE, centres, strict=True)
    ]  # fmt: skip


def _bends_deg(points: NDArray) -> NDArray[np.float64]:
    along = np.diff(points, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    return np.degrees(np.arccos(np.clip((along[1:] * along[:-1]).sum(axis=1), -1, 1)))


def _wrong_side(person: PosedPerson, left_half: NDArray, right_half: NDArray) -> int:
    wrong = 0
    count = len(person.skin_world)
    for index, name in enumerate(NAMES):
        if name.startswith(("left_", "right_")):
            distance = np.linalg.norm(person.skin_world - person.keypoints_world[index], axis=1)
            own = left_half if name.startswith("left_") else right_half
            other = right_half if name.startswith("left_") else left_half
            wrong += distance[own[:count]].min() > distance[other[:count]].min()
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    found = examine(arguments.people, arguments.seed)
    print(f"{arguments.people} people, seed {arguments.seed}")
    print("\nkeypoints inside the skin (of people)")
    for column, index in enumerate(INTERIOR):
        inside = int((found.winding[:, column] > 0.5).sum())
        print(f"  {NAMES[index]:18} {inside}/{arguments.people}")
    print("\ndepth of the vertebral centre straight back to the skin, mm: 5% 50% 95% (min..max)")
    for column, name in enumerate(VERTEBRAE):
        for label, values in (("rest", found.depth_mm), ("posed", found.posed_depth_mm)):
            depth = values[:, column]
            low, middle, high = np.percentile(depth, [5, 50, 95])
            print(
                f"  {name:4}{label:6} {low:5.0f} {middle:5.0f} {high:5.0f}"
                f"  ({depth.min():.0f}..{depth.max():.0f})"
            )
    print("\nbend between neighbouring segments of the nine-point spine, degrees: 50% 95% max")
    for column, index in enumerate(SPINE[1:-1]):
        bend = found.bend_deg[:, column]
        middle, high = np.percentile(bend, [50, 95])
        print(f"  {NAMES[index]:10} {middle:5.1f} {high:5.1f} {bend.max():5.1f}")
    print(f"\npaired keypoints nearer to the other half of the mesh: {found.wrong_side.sum()}")


if __name__ == "__main__":
    main()
