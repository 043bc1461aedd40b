"""An avatar: a subject's body bound to its own scaled OpenSim model, dressed, ready to be posed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.parts import part_rows
from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.body import (
    Subject,
)
from spinetrack_synth.avatars.dress import Looks
from spinetrack_synth.avatars.figure import suit
from spinetrack_synth.avatars.fingers import Hand, bend
from spinetrack_synth.avatars.flesh import Flesh, mend
from spinetrack_synth.avatars.mesh import Sheet
from spinetrack_synth.avatars.parts import Part, part_shares
from spinetrack_synth.avatars.rig import (
    TWIST_FREE,
    Rig,
)
from spinetrack_synth.avatars.skinning import (
    Binding,
    deform,
    first_vertices,
    swings,
)
from spinetrack_synth.avatars.styles import SPORTS
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.poses.collision import Capsules
from spinetrack_synth.poses.skin import SkinProbe
from spinetrack_synth.shot import Physique

Fingers = Array
"""Angles of the knuckles from rest, (2, 5, 3) rad: right and left hand, thumb first."""


@dataclass(frozen=True)
class Avatar:
    """A subject with everything that posing it needs.

    ``flesh`` is what the skin keeps in every pose. ``bone_order`` lists (bone, the bone it hangs
    on) with parents first; bones are the model's bodies followed by the twist-free ones.
    ``skin_body`` (V,) is the body each skin vertex moves with most and ``skin_faces`` (F, 4) its
    quads. ``hands`` are the right and the left one. ``probe`` is the skin as grounding feels it,
    ``capsules`` as collisions do; ``mesh_parts`` (V, 17) is how much of each part of the body the
    vertices of the base mesh are; ``physique`` what is told of the body. ``looks`` is what is drawn
    of the subject whatever is worn, None for an avatar that is not drawn; ``outfit`` the number of
    the clothes in ``parts``, ``style`` theirs and ``garments`` their names; ``sole_m`` the
    thickness of the shoes' soles.
    """

    subject: Subject
    rig: Rig
    binding: Binding
    flesh: Flesh
    bone_order: NDArray[np.int32]
    limb_axis_world: Array
    parts: tuple[Part, ...]
    skin_body: NDArray[np.int32]
    skin_faces: NDArray[np.int32]
    hands: tuple[Hand, Hand]
    probe: SkinProbe
    capsules: Capsules
    mesh_parts: Array
    physique: Physique
    looks: Looks | None = None
    outfit: int = 0
    style: str = SPORTS
    garments: tuple[str, ...] = ()
    sole_m: float = 0.0

    @property
    def tree(self) -> Tree:
        """The model scaled to this subject."""
        return self.rig.tree

    @cached_property
    def skin_binding(self) -> Binding:
        """What binds the skin as it meets the ground, without the shapes about it that clothes
        follow: soles of shoes are its soles."""
        binding = first_vertices(self.binding, len(self.skin_body))
        if not self.sole_m:
            return binding
        rest_world = binding.rest_world.copy()
        foot = np.isin(self.skin_body, self.feet)
        lowest = rest_world[:, 1].min()
        low = smoothstep(0.04, 0.015, rest_world[:, 1] - lowest)
        rest_world[:, 1] -= self.sole_m * low * foot
        return replace(binding, rest_world=rest_world)

    @cached_property
    def feet(self) -> list[int]:
        """The bodies of the feet below the ankles."""
        return [self.tree.body_index[f"{b}_{side}"] for b in ("calcn", "toes") for side in "rl"]

    @cached_property
    def draped_skin(self) -> tuple[Ints, Ints]:
        """Some vertices of the hands, and of feet and head: skin that hanging cloth meets where
        clothes are not cut from."""
        bodies = self.tree.bodies
        parts = []
        for names in (("hand",), ("calcn", "toes", "skull")):
            there = [k for k, name in enumerate(bodies) if name.startswith(names)]
            parts.append(np.flatnonzero(np.isin(self.skin_body, there))[::3])
        return parts[0], parts[1]

    @cached_property
    def draped_suit(self) -> tuple[Sheet, Ints]:
        """What clothes are cut from, and its distinct points: trunk and limbs as cloth feels
        them, without hollows."""
        sheet = suit(assets.load()).sheet
        return sheet, np.unique(sheet.weld, return_index=True)[1]

    @cached_property
    def bone_weights(self) -> csr_array:
        """Weights (V, S) of the base mesh on all bones."""
        bone, weight = self.binding.bone, self.binding.weight
        row = np.repeat(np.arange(len(bone)), bone.shape[1])
        size = (len(bone), len(self.tree.bodies) + len(TWIST_FREE))
        return csr_array((weight.ravel(), (row, bone.ravel())), shape=size)

    @cached_property
    def body_parts(self) -> tuple[NDArray[np.uint8], ...]:
        """How much of each part of the body the vertices of what is drawn are, (P, 17) each."""
        rows = part_rows(self.tree.bodies)
        return tuple(
            part_shares(drawn, self.mesh_parts, rows, self.tree.bodies) for drawn in self.parts
        )

    @cached_property
    def world2rest(self) -> Array:
        """The world in the frames of the bodies at rest (B, 4, 4)."""
        return np.asarray(np.linalg.inv(self.rig.body2world), dtype=np.float64)

    @cached_property
    def limbs(self) -> tuple[Ints, Array]:
        """Bodies that have a twist-free bone: the body that each hangs on and itself (L, 2), and
        its joint at rest (L, 3) m."""
        body = [self.tree.bodies.index(name) for name in TWIST_FREE]
        above = [int(self.tree.chain.parent[b]) for b in body]
        return np.stack([above, body], axis=1), self.rig.body2world[body, :3, 3]

    @cached_property
    def hand_quads(self) -> tuple[NDArray[np.int32], ...]:
        """Quads of the skin that belong to the right and to the left hand, (F, 4) each."""
        body = self.skin_body[self.skin_faces]
        return tuple(self.skin_faces[(body == hand.body).all(axis=1)] for hand in self.hands)


def pose_skin(avatar: Avatar, coordinates: ArrayLike, fingers: Fingers | None = None) -> Array:
    """The bare skin alone (V, 3) m at the model's coordinates: what grounding needs of a pose."""
    body2world = body_transforms(avatar.tree, coordinates)
    return deformed(avatar, avatar.skin_binding, body2world, fingers)


def deformed(avatar: Avatar, binding: Binding, body2world: Array, fingers: Fingers | None) -> Array:
    """The points (V, 3) m of a binding with the bodies at given frames (B, 4, 4)."""
    if fingers is not None:
        rest = binding.rest_world.copy()
        for hand, angles in zip(avatar.hands, fingers, strict=True):
            count = np.searchsorted(hand.vertex, len(rest))
            rest[hand.vertex[:count]] = bend(hand, angles)[:count]
        binding = replace(binding, rest_world=rest)
    deformed, bent = deform(binding, bone_motions(avatar, body2world), avatar.bone_order)
    return mend(avatar.flesh, deformed, bent)


def bone_motions(avatar: Avatar, body2world: Array) -> Array:
    """Rigid motions (S, 4, 4) from rest of all bones: the bodies, then the twist-free ones."""
    motions = body2world @ avatar.world2rest
    hangs, joint = avatar.limbs
    return np.concatenate([motions, swings(motions, hangs, joint, avatar.limb_axis_world)])


def bone_frames(avatar: Avatar, body2world: Array) -> Array:
    """Frames (S, 4, 4) of all bones in the world, named as ``bone_names`` of the rig has them."""
    rest = avatar.rig.body2world
    hangs, _ = avatar.limbs
    frames: Array = bone_motions(avatar, body2world) @ np.concatenate([rest, rest[hangs[:, 1]]])
    return frames


def untwisted(tree: Tree) -> Ints:
    """The body (S,) of each bone: a twist-free one counts for its own."""
    return np.array([*range(len(tree.bodies)), *map(tree.bodies.index, TWIST_FREE)])
