"""How deep each keypoint lies under what covers it: the figures behind the visibility rule.

    python benchmarks/tissue_depth.py [--people 10] [--seed 5]

Dressed people stand with arms and legs apart; each keypoint is looked at level and from 20 degrees
above, from the front, the side and behind. Counted are lines of sight whose first surface belongs
to a body that the visibility rule takes for the keypoint's own flesh.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from asked import asked_cast
from numpy.typing import NDArray

from spinetrack_synth.avatars.inside import distance_along
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.labels import TISSUE
from spinetrack_synth.shot import PosedPerson
from spinetrack_synth.skeleton import INDEX, NAMES

REACH_M = 0.35
"""Surfaces further from a keypoint are not looked for."""

VIEWS = {"front": (0, -20, 20), "left side": (-90, -70, -110), "back": (180, 160, 200)}
ELEVATIONS = (0, 20)
SPREAD = {"arm_add_r": -1.5, "arm_add_l": -1.5, "hip_adduction_r": -0.3, "hip_adduction_l": -0.3}


def main() -> None:
    cast = asked_cast(__doc__, people=10, seed=5)
    depth_m = defaultdict(list)
    for k in range(cast.people or 0):
        avatar = cast.avatar(k)
        q = avatar.tree.default_coordinates.copy()
        for name, value in SPREAD.items():
            q[avatar.tree.coordinate_index[name]] = value
        for key, depth in covers(pose_avatar(avatar, q), avatar.tree.bodies):
            depth_m[key].append(depth)
    print(f"{cast.people} people; metres")
    print(f"{'keypoint':18}{'from':12}{'lines':>6}{'median':>8}{'p90':>7}{'max':>7}{'rule':>7}")
    for (name, view), depths in depth_m.items():
        median, p90, most = np.quantile(depths, [0.5, 0.9, 1.0])
        rule = TISSUE[name].depth_m
        print(f"{name:18}{view:12}{len(depths):6}{median:8.3f}{p90:7.3f}{most:7.3f}{rule:7.2f}")


def covers(person: PosedPerson, bodies: tuple[str, ...]):
    """Keypoint, view and depth (m) of own flesh, for every line of sight that meets some."""
    counts = np.cumsum([0] + [len(surface.vertices_world) for surface in person.surfaces])
    vertices = np.concatenate([surface.vertices_world for surface in person.surfaces])
    triangles = np.concatenate([s.faces + n for s, n in zip(person.surfaces, counts)])
    for name in NAMES:
        if name.startswith("right_"):
            continue
        origin = person.keypoints_world[INDEX[name]]
        for view, azimuths in VIEWS.items():
            for direction in directions(azimuths):
                outside = origin + REACH_M * direction
                depth = REACH_M - distance_along(outside, -direction, vertices, triangles)
                if np.isinf(depth):
                    continue
                surface = origin + depth * direction
                if body_at(person, surface, bodies) in TISSUE[name].bodies:
                    yield (name, view), max(depth, 0.0)


def directions(azimuths_deg: tuple[int, ...]):
    """Unit vectors; azimuth 0 is forward, positive to the right."""
    for elevation in np.radians(ELEVATIONS):
        for azimuth in np.radians(azimuths_deg):
            level = np.cos(elevation)
            yield np.array([np.cos(azimuth) * level, np.sin(elevation), np.sin(azimuth) * level])


def body_at(person: PosedPerson, point: NDArray[np.float64], bodies: tuple[str, ...]) -> str:
    nearest = np.linalg.norm(person.skin_world - point, axis=1).argmin()
    return bodies[person.skin_body[nearest]]


if __name__ == "__main__":
    main()
