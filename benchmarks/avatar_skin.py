"""How far the skin of an exported avatar, four bones a vertex, is from others, over the library.

    python benchmarks/avatar_skin.py [--people 8] [--seed 7]

Each person takes every pose of the library as people do it, on either side, with its fingers. The
distance of every drawn vertex is told to where all bones of the body data (up to eight) would put
it by linear blending, and to where the embedded renderer draws it; beside it what the four largest
weights alone would do.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from asked import asked_cast
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.holding import open_fingers
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.export.avatars import bone_weights, bones_world, linear_skins
from spinetrack_synth.export.glb import SET, Skin
from spinetrack_synth.export.influences import MOST, strongest
from spinetrack_synth.poses.library import either_side, library
from spinetrack_synth.poses.sampling import sample_pose

Array = NDArray[np.float64]

KINDS = {"skin": "skin that is seen", "hair": "hair, eyes, lashes", "eyes": "hair, eyes, lashes",
         "lashes": "hair, eyes, lashes"}  # fmt: skip
"""By the name of a part; whatever else there is are clothes."""
ALL = "all"


def main() -> None:
    cast = asked_cast(__doc__, people=8, seed=7)
    apart_mm = defaultdict(list)
    for k in range(cast.people or 0):
        avatar = cast.avatar(k)
        subject = avatar.subject
        print(f"{subject.subject_id}: {subject.sex}, {subject.stature_m:.2f} m, "
              f"weight {subject.weight:.2f}", flush=True)  # fmt: skip
        for what, kind, distance_mm in distances(avatar):
            apart_mm[what, kind].append(distance_mm)
            apart_mm[what, ALL].append(distance_mm)
    print(f"{len(library('yoga'))} poses; mm")
    print(f"{'':34}{'':20}{'mean':>8}{'50%':>8}{'95%':>8}{'99%':>8}{'largest':>8}")
    for (what, kind), found in sorted(apart_mm.items()):
        distance_mm = np.concatenate(found)
        figures = (distance_mm.mean(), *np.percentile(distance_mm, [50, 95, 99, 100]))
        print(f"{what:34}{kind:20}" + "".join(f"{figure:8.2f}" for figure in figures))


def distances(avatar: Avatar):
    """What is compared, the kind of part, and the distances (P,) mm; for every pose and part."""
    rest = pose_avatar(avatar, avatar.rig.coordinates)
    bones = np.linalg.inv(bones_world(avatar, avatar.rig.body2world))
    weights = [bone_weights(avatar, part) for part in avatar.parts]
    skins = {
        "fitted": linear_skins(avatar),
        "largest": [strongest(weight, SET) for weight in weights],
        "eight": [strongest(weight, MOST) for weight in weights],
    }
    rng = np.random.default_rng(avatar.subject.seed)
    for written in library("yoga").values():
        pose = either_side(written, rng)
        q = sample_pose(avatar.tree, pose, rng)
        fingers = open_fingers(avatar, pose.contacts, pose.reaches)
        motion = bones_world(avatar, body_transforms(avatar.tree, q), fingers) @ bones
        drawn = pose_avatar(avatar, q, fingers).surfaces
        for k, part in enumerate(avatar.parts):
            kind = KINDS.get(part.name, "clothes")
            at_rest = rest.surfaces[k].vertices_world.astype(float)
            put = {name: blended(skin[k], at_rest, motion) for name, skin in skins.items()}
            put["renderer"] = drawn[k].vertices_world.astype(float)
            for what, one, other in (
                ("four fitted to eight", "fitted", "eight"),
                ("four largest to eight", "largest", "eight"),
                ("four fitted to the renderer", "fitted", "renderer"),
                ("eight to the renderer", "eight", "renderer"),
            ):
                yield what, kind, 1000 * np.linalg.norm(put[one] - put[other], axis=1)


def blended(skin: Skin, rest_m: Array, motion: Array) -> Array:
    """Vertices (P, 3) where bones have moved by (S, 4, 4) from rest."""
    mixed = np.einsum("pk,pkij->pij", skin.weight, motion[skin.bone])
    return np.einsum("pij,pj->pi", mixed[:, :3, :3], rest_m) + mixed[:, :3, 3]


if __name__ == "__main__":
    main()
