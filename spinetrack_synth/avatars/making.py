"""Avatars out of subjects: shaped, fitted, bound to the bones, dressed."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import Tree, fullbody
from spinetrack_synth.anatomy.parts import PARTS, part_rows
from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.avatar import Avatar, deformed, untwisted
from spinetrack_synth.avatars.body import (
    RestBody,
    Subject,
    at_rest,
    body_vertices,
    shape,
)
from spinetrack_synth.avatars.dress import dress, looks
from spinetrack_synth.avatars.fingers import find_hands
from spinetrack_synth.avatars.flesh import flesh
from spinetrack_synth.avatars.landmarks import find_landmarks
from spinetrack_synth.avatars.parts import riding, softness
from spinetrack_synth.avatars.rig import (
    TWIST_FREE,
    Rig,
    bent,
    fit,
    vertebral_centres,
    with_short_leg,
)
from spinetrack_synth.avatars.skin_weights import chords, skin_weights
from spinetrack_synth.avatars.skinning import (
    Rings,
    bind,
    vertex_rings,
)
from spinetrack_synth.avatars.spines import LEVELS, NORMAL, lateral_curve
from spinetrack_synth.avatars.styles import SPORTS
from spinetrack_synth.community import AssetFolder
from spinetrack_synth.poses.collision import capsules_from_skin
from spinetrack_synth.poses.skin import probe_from_skin, refresh
from spinetrack_synth.shot import Physique


def make_avatar(subject: Subject, outfit: int = 0, style: str = SPORTS) -> Avatar:
    """Shape, fit, bind and dress a subject in the outfit of a number, of one of the ``STYLES``.

    Raises UserError when the body data is missing and can't be fetched.
    """
    return redress(undressed_avatar(subject), outfit, style)


def undressed_avatar(subject: Subject, worn: AssetFolder | None = None) -> Avatar:
    """The same avatar before it is dressed: it has looks, maybe a skin of the assets that are
    ``worn``, and no parts yet."""
    data = assets.load()
    avatar, rest = _bound(data, shape(data, subject), subject)
    return replace(avatar, looks=looks(data, rest, subject, worn))


def redress(
    avatar: Avatar, outfit: int, style: str = SPORTS, worn: AssetFolder | None = None
) -> Avatar:
    """The same subject in other clothes, of one of the ``STYLES``. The avatar must have looks."""
    assert avatar.looks is not None
    dressed_in = dress(assets.load(), avatar.looks, avatar.subject, outfit, style, worn)
    parts = tuple(riding(part, avatar.binding) for part in dressed_in.parts)
    dressed = replace(
        avatar,
        parts=parts,
        outfit=outfit,
        style=style,
        garments=dressed_in.garments,
        sole_m=dressed_in.sole_m,
    )
    if dressed_in.sole_m == avatar.sole_m:
        return dressed
    probe = refresh(
        avatar.probe, avatar.tree, avatar.rig.coordinates, dressed.skin_binding.rest_world
    )
    return replace(dressed, probe=probe)


def bare_avatar(subject: Subject) -> Avatar:
    """The same avatar with nothing to draw: enough for everything that needs no picture."""
    data = assets.load()
    return _bound(data, shape(data, subject), subject)[0]


def _bound(data: assets.BodyData, rest: RestBody, subject: Subject) -> tuple[Avatar, RestBody]:
    """The avatar without anything to draw, and its body at rest as its spine has it."""
    landmarks = find_landmarks(data, rest, subject)
    rig = fit(fullbody(), landmarks, subject)
    bone, weight = skin_weights(data, rest, rig)
    bmi = landmarks.mass_kg / subject.stature_m**2
    normal = _riding(data, rest, subject, rig, bone, weight, bmi)
    if subject.spine == NORMAL:
        return normal, rest
    curved = bent(rig, subject.spine)
    trunk = bent(rig, replace(subject.spine, short_leg_m=0.0)).body2world
    vertices = deformed(normal, normal.binding, trunk, None)
    rest = at_rest(data, with_short_leg(data, vertices, rig, subject.spine.short_leg_m))
    return _riding(data, rest, subject, curved, bone, weight, bmi, normal), rest


def _riding(
    data: assets.BodyData,
    rest: RestBody,
    subject: Subject,
    rig: Rig,
    bone: NDArray[np.int32],
    weight: Array,
    bmi: float,
    normal: Avatar | None = None,
) -> Avatar:
    """The skin at rest bound to a rig; ``normal`` is the same body with a normal spine."""
    chord = chords(rest, rig, bone, weight)
    binding = bind(rest.vertices_world, bone, weight, _rings(data), softness(weight), chord)
    skin = body_vertices(data)
    skin_body = _dominant_body(rig.tree, bone[skin], weight[skin])
    skin_world = rest.vertices_world[skin]
    skin_faces = data.quads[data.faces_of("body")]
    if normal is None:
        probe = probe_from_skin(rig.tree, rig.coordinates, skin_world, skin_body, skin_faces)
    else:  # its patches are the same points
        probe = refresh(normal.probe, rig.tree, rig.coordinates, skin_world)
    straight = rig if normal is None else normal.rig
    return Avatar(
        subject=subject,
        rig=rig,
        binding=binding,
        flesh=flesh(data, skin_world, binding.softness[skin]),
        bone_order=_bone_order(rig.tree),
        limb_axis_world=_limb_axes(rig),
        parts=(),
        skin_body=skin_body,
        skin_faces=skin_faces,
        hands=find_hands(data, rest, rig),
        probe=probe,
        capsules=capsules_from_skin(rig.tree, rig.coordinates, skin_world, skin_body),
        mesh_parts=_mesh_parts(rig.tree, bone, weight),
        physique=_physique(subject, rig, bmi, straight),
    )


def _physique(subject: Subject, rig: Rig, bmi: float, straight: Rig) -> Physique:
    tree = rig.tree
    curve = lateral_curve(rig.body2world[[tree.body_index[name] for name in LEVELS]])
    moved = vertebral_centres(tree, rig.body2world) - vertebral_centres(tree, straight.body2world)
    return Physique(
        age_years=round(subject.age_years, 1),
        sex=subject.sex,
        stature_m=subject.stature_m,
        bmi=bmi,
        spine_condition=subject.spine.condition,
        cobb_deg=curve.cobb_deg,
        apex_level=curve.apex_level,
        curve_side=curve.side,
        curve_offset_m=float(np.linalg.norm(moved, axis=1).max()),
    )


@lru_cache(maxsize=1)
def _rings(data: assets.BodyData) -> Rings:
    """The neighbours of all vertices but those of the joints' cubes."""
    quads = data.quads[~np.char.startswith(np.array(data.groups), "joint")[data.quad_group]]
    return vertex_rings(quads, len(data.vertices))


def _mesh_parts(tree: Tree, bone: NDArray[np.int32], weight: Array) -> Array:
    """How much (V, 17) of each part of the body vertices are that follow bones (V, K) so much."""
    part = part_rows(tree.bodies)[untwisted(tree)[bone]]
    place = np.arange(len(bone))[:, None] * len(PARTS) + part
    size = len(bone) * len(PARTS)
    share = np.bincount(place.ravel(), weight.ravel(), size).reshape(len(bone), len(PARTS))
    return np.asarray(share)


def _bone_order(tree: Tree) -> NDArray[np.int32]:
    order = []
    for body, name in enumerate(tree.bodies):
        above = int(tree.chain.parent[body])
        if name in TWIST_FREE:
            swing = len(tree.bodies) + TWIST_FREE.index(name)
            order.append((swing, above))
            above = swing
        order.append((body, above))
    return np.array(order, dtype=np.int32)


def _limb_axes(rig: Rig) -> Array:
    index = rig.tree.body_index
    below = {"humerus": "ulna", "femur": "tibia"}
    axes = []
    for name in TWIST_FREE:
        limb, side = name.split("_")
        end = rig.body2world[index[f"{below[limb]}_{side}"], :3, 3]
        axis = end - rig.body2world[index[name], :3, 3]
        axes.append(axis / np.linalg.norm(axis))
    return np.array(axes)


def _dominant_body(tree: Tree, bone: NDArray[np.int32], weight: Array) -> NDArray[np.int32]:
    body = untwisted(tree)[bone]
    total = np.zeros((len(bone), len(tree.bodies)))
    for k in range(bone.shape[1]):
        np.add.at(total, (np.arange(len(bone)), body[:, k]), weight[:, k])
    dominant: NDArray[np.int32] = np.argmax(total, axis=1).astype(np.int32)
    return dominant
