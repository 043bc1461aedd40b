"""A posed avatar: keypoints, skin and everything to be drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.anatomy.kinematics import body_transforms, points_world
from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.avatar import Avatar, Fingers, deformed
from spinetrack_synth.avatars.heads import face_of
from spinetrack_synth.avatars.paintings import FINEST
from spinetrack_synth.avatars.surfaces import surfaces_of
from spinetrack_synth.shot import PosedPerson
from spinetrack_synth.skeleton import NAMES


def pose_avatar(
    avatar: Avatar,
    coordinates: ArrayLike,
    fingers: Fingers | None = None,
    texel_m: float = FINEST,
) -> PosedPerson:
    """The avatar at the model's coordinates (n,), with its keypoints and everything to be drawn.

    ``fingers`` (2, 5, 3) rad bend the knuckles of the right and the left hand from rest. Clothes
    and skin are painted in texels no longer than ``texel_m``, or as fine as they come;
    `paintings.UNSEEN` leaves them in one colour each.
    """
    person = pose_bodies(avatar, body_transforms(avatar.tree, coordinates), fingers, texel_m)
    return replace(person, coordinates=np.asarray(coordinates, dtype=float))


def pose_bodies(
    avatar: Avatar, body2world: Array, fingers: Fingers | None = None, texel_m: float = FINEST
) -> PosedPerson:
    """The avatar with its bodies at given frames (B, 4, 4); its coordinates are unknown, nan."""
    tree, looks = avatar.tree, avatar.looks
    vertices = deformed(avatar, avatar.binding, body2world, fingers)
    markers = points_world(body2world, tree.marker_body, tree.marker_offset_m)
    return PosedPerson(
        subject_id=avatar.subject.subject_id,
        pose="",
        coordinates=np.full(len(tree.coordinates), np.nan),
        scale_factors=avatar.rig.scale_factors,
        body2world=body2world,
        keypoints_world=markers[[tree.marker_index[name] for name in NAMES]],
        skin_world=vertices[: len(avatar.skin_body)].astype(np.float32),
        skin_body=avatar.skin_body,
        surfaces=surfaces_of(avatar, vertices, body2world, texel_m),
        fingers_rad=fingers,
        clothes=", ".join(avatar.garments),
        style=avatar.style,
        outfit=avatar.outfit,
        physique=avatar.physique,
        assets=tuple(part.asset for part in avatar.parts if part.asset),
        face=face_of(avatar.parts, looks.hair.style, looks.hair.beard) if looks else None,
    )
