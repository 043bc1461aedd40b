"""An avatar: a subject's body bound to its own scaled OpenSim model, dressed, ready to be posed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms, points_world
from spinetrack_synth.anatomy.model import Tree, fullbody
from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.body import (
    RestBody,
    Subject,
    at_rest,
    body_vertices,
    sample_subject,
    shape,
)
from spinetrack_synth.avatars.dress import Looks, dress, looks
from spinetrack_synth.avatars.fingers import Hand, bend, find_hands
from spinetrack_synth.avatars.heads import clothes_of, face_of, with_hanging_hair
from spinetrack_synth.avatars.landmarks import find_landmarks
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.rig import (
    TWIST_FREE,
    Rig,
    bent,
    fit,
    vertebral_centres,
    with_short_leg,
)
from spinetrack_synth.avatars.skin_weights import skin_weights
from spinetrack_synth.avatars.skinning import (
    Binding,
    Rings,
    bind,
    deform,
    first_vertices,
    inside_box,
    swings,
    vertex_normals,
    vertex_rings,
)
from spinetrack_synth.avatars.spines import LEVELS, NORMAL, lateral_curve
from spinetrack_synth.poses.collision import Capsules, capsules_from_skin
from spinetrack_synth.poses.skin import SkinProbe, probe_from_skin, refresh
from spinetrack_synth.shot import Physique, PosedPerson, Surface
from spinetrack_synth.skeleton import NAMES

_CLOTH_M = 0.002
_PRESSED_M = 0.0005
"""Thickness of cloth under a hand, and how near it comes to the body."""

Fingers = Array
"""Angles of the knuckles from rest, (2, 5, 3) rad: right and left hand, thumb first."""


@dataclass(frozen=True)
class Avatar:
    """A subject with everything that posing it needs.

    ``bone_order`` lists (bone, the bone it hangs on) with parents first; bones are the model's
    bodies followed by the twist-free ones. ``skin_body`` (V,) is the body each skin vertex moves
    with most and ``skin_faces`` (F, 4) its quads. ``hands`` are the right and the left one.
    ``probe`` is the skin as grounding feels it, ``capsules`` as
    collisions do; ``physique`` what is told of the body. ``looks`` is what is drawn of the subject
    whatever is worn, None for an avatar that is not drawn; ``outfit`` the number of the clothes in
    ``parts``.
    """

    subject: Subject
    rig: Rig
    binding: Binding
    bone_order: NDArray[np.int32]
    limb_axis_world: Array
    parts: tuple[Part, ...]
    skin_body: NDArray[np.int32]
    skin_faces: NDArray[np.int32]
    hands: tuple[Hand, Hand]
    probe: SkinProbe
    capsules: Capsules
    physique: Physique
    looks: Looks | None = None
    outfit: int = 0

    @property
    def tree(self) -> Tree:
        """The model scaled to this subject."""
        return self.rig.tree

    @cached_property
    def skin_binding(self) -> Binding:
        """What binds the bare skin, without the shapes about it that clothes follow."""
        return first_vertices(self.binding, len(self.skin_body))

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


@dataclass(frozen=True)
class Present:
    """The subjects of one shot in its clothes; ``changing`` faces are others in every shot."""

    cast: Cast
    numbers: range
    outfit: int
    spines: float = 0.0
    changing: bool = True

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.numbers)

    def avatar(self, k: int) -> Avatar:
        """The k-th of them."""
        return self.cast.avatar(self.numbers[k], self.outfit, self.spines)


class Cast:
    """The subjects of a dataset, each made when first asked for: subject k depends on (seed, k).

    ``people`` fixes their number; None: there is no end of them. ``changing`` clothes are others
    in every shot, else outfit 0 is worn in all.
    """

    WINDOW: Final = 10
    """Subjects that a shot chooses from, where there is no end of them."""

    SHOTS_A_STEP: Final = 3
    """Shots after which one goes and another comes."""

    KEPT: Final = 24
    """Avatars kept ready."""

    def __init__(self, seed: int, people: int | None = None, changing: bool = True) -> None:
        self.seed = seed
        self.people = people
        self.changing = changing
        self._made = lru_cache(maxsize=self.KEPT)(self._make)
        self._dressed = lru_cache(maxsize=self.KEPT)(self._dress)

    def present(self, index: int, count: int = 1, spines: float = 0.0) -> Present:
        """Who may be in shot ``index``, at least ``count`` of them where there is no end of them;
        a share ``spines`` of them with a spine that is not normal.

        The shot's index is the number of their outfits.
        """
        first = 0 if self.people is not None else index // self.SHOTS_A_STEP
        size = self.people or max(self.WINDOW, count)
        outfit = index if self.changing else 0
        return Present(self, range(first, first + size), outfit, spines, self.changing)

    def avatar(self, k: int, outfit: int = 0, spines: float = 0.0) -> Avatar:
        """Avatar of subject k >= 0 in the outfit of a number, as ``sample_subject`` has it."""
        if k < 0 or (self.people is not None and k >= self.people):
            raise IndexError(f"subject {k} of a cast of {self.people}")
        # Scenes differ in the share; whom it leaves as he is, is made once for all of them.
        shaped = sample_subject(self.seed, k, spines).spine != NORMAL
        return self._dressed(k, outfit, shaped)

    def _make(self, k: int, shaped: bool) -> Avatar:
        return undressed_avatar(sample_subject(self.seed, k, 1.0 if shaped else 0.0))

    def _dress(self, k: int, outfit: int, shaped: bool) -> Avatar:
        return redress(self._made(k, shaped), outfit)


def make_avatar(subject: Subject, outfit: int = 0) -> Avatar:
    """Shape, fit, bind and dress a subject.

    Raises UserError when the body data is missing and can't be fetched.
    """
    return redress(undressed_avatar(subject), outfit)


def undressed_avatar(subject: Subject) -> Avatar:
    """The same avatar before it is dressed: it has looks and no parts yet."""
    data = assets.load()
    avatar, rest = _bound(data, shape(data, subject), subject)
    return replace(avatar, looks=looks(data, rest, subject))


def redress(avatar: Avatar, outfit: int) -> Avatar:
    """The same subject in other clothes. The avatar must have looks."""
    assert avatar.looks is not None
    parts = dress(assets.load(), avatar.looks, avatar.subject, outfit)
    return replace(avatar, parts=parts, outfit=outfit)


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
    vertices = _deformed(normal, normal.binding, trunk, None)
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
    binding = bind(rest.vertices_world, bone, weight, _rings(data), softness=_softness(weight))
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
        bone_order=_bone_order(rig.tree),
        limb_axis_world=_limb_axes(rig),
        parts=(),
        skin_body=skin_body,
        skin_faces=skin_faces,
        hands=find_hands(data, rest, rig),
        probe=probe,
        capsules=capsules_from_skin(rig.tree, rig.coordinates, skin_world, skin_body),
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


def pose_avatar(
    avatar: Avatar, coordinates: ArrayLike, fingers: Fingers | None = None
) -> PosedPerson:
    """The avatar at the model's coordinates (n,), with its keypoints and everything to be drawn.

    ``fingers`` (2, 5, 3) rad bend the knuckles of the right and the left hand from rest.
    """
    person = pose_bodies(avatar, body_transforms(avatar.tree, coordinates), fingers)
    return replace(person, coordinates=np.asarray(coordinates, dtype=float))


def pose_bodies(avatar: Avatar, body2world: Array, fingers: Fingers | None = None) -> PosedPerson:
    """The avatar with its bodies at given frames (B, 4, 4); its coordinates are unknown, nan."""
    tree, looks = avatar.tree, avatar.looks
    vertices = _deformed(avatar, avatar.binding, body2world, fingers)
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
        surfaces=_surfaces(avatar, vertices, body2world),
        fingers_rad=fingers,
        clothes=clothes_of(avatar.parts),
        outfit=avatar.outfit,
        physique=avatar.physique,
        face=face_of(avatar.parts, looks.hair.style, looks.hair.beard) if looks else None,
    )


def pose_skin(avatar: Avatar, coordinates: ArrayLike, fingers: Fingers | None = None) -> Array:
    """The bare skin alone (V, 3) m at the model's coordinates: what grounding needs of a pose."""
    body2world = body_transforms(avatar.tree, coordinates)
    return _deformed(avatar, avatar.skin_binding, body2world, fingers)


def _deformed(
    avatar: Avatar, binding: Binding, body2world: Array, fingers: Fingers | None
) -> Array:
    if fingers is not None:
        rest = binding.rest_world.copy()
        for hand, angles in zip(avatar.hands, fingers, strict=True):
            count = np.searchsorted(hand.vertex, len(rest))
            rest[hand.vertex[:count]] = bend(hand, angles)[:count]
        binding = replace(binding, rest_world=rest)
    return deform(binding, bone_motions(avatar, body2world), avatar.bone_order)


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
    bodies = len(tree.bodies)
    untwisted = np.array([tree.bodies.index(name) for name in TWIST_FREE])
    body = np.where(bone < bodies, bone, untwisted[np.maximum(bone - bodies, 0)])
    total = np.zeros((len(bone), bodies))
    for k in range(bone.shape[1]):
        np.add.at(total, (np.arange(len(bone)), body[:, k]), weight[:, k])
    dominant: NDArray[np.int32] = np.argmax(total, axis=1).astype(np.int32)
    return dominant


def _softness(weight: Array) -> Array:
    """Vertices that follow one body alone keep their shape exactly; the others are smoothed."""
    softness: Array = np.clip((1.0 - weight.max(axis=1)) / 0.05, 0.0, 1.0)
    return softness


_Cloud = tuple[Array, Array, Array]
"""Points (N, 3) m and the corners of the box about them."""


def _hand_points(avatar: Avatar, vertices: Array) -> tuple[_Cloud, ...]:
    """The skin of the right and of the left hand."""
    clouds = []
    for quads in avatar.hand_quads:
        corners = vertices[quads]
        points = np.concatenate([corners[:, 0], corners[:, 1], corners.mean(axis=1)])
        clouds.append((points, points.min(axis=0), points.max(axis=0)))
    return tuple(clouds)


def _pressed_m(
    avatar: Avatar, part: Part, placed: Array, hands: tuple[_Cloud, ...]
) -> NDArray[np.floating]:
    """How far cloth stands off its places on the body (P, 3): a hand on it presses it down."""
    from scipy.spatial import KDTree

    assert part.stencil is not None and part.offset_m is not None
    offset_m = part.offset_m
    if part.name == "skin":
        return offset_m
    loosest_m = float(offset_m.max()) + _CLOTH_M
    for hand, (points, low, high) in zip(avatar.hands, hands, strict=True):
        about = inside_box(placed, low - loosest_m, high + loosest_m)
        if len(about):  # the sleeve of a hand does not mind it
            sleeve = part.stencil[about] @ hand.arm_share
            about = about[sleeve < 0.5]
        if len(about):
            distance, _ = KDTree(points).query(placed[about], distance_upper_bound=loosest_m)
            room = np.maximum(distance - _CLOTH_M, _PRESSED_M)
            offset_m = offset_m.copy()
            offset_m[about] = np.minimum(offset_m[about], room)
    return offset_m


def _above_floor_m(
    placed: Array, normals: NDArray[np.floating], offset_m: NDArray[np.floating]
) -> NDArray[np.floating]:
    """How far cloth stands off (P,) where the floor y = 0 does not press it to the body."""
    floor_m = min(0.0, float(placed[:, 1].min()))  # who has no mat stands a little lower
    under = np.flatnonzero(
        (normals[:, 1] < 0) & (placed[:, 1] + normals[:, 1] * offset_m < floor_m)
    )
    if not len(under):
        return offset_m
    room = (placed[under, 1] - floor_m) / np.maximum(-normals[under, 1], 1e-3)
    offset_m = offset_m.copy()
    offset_m[under] = np.clip(room, _PRESSED_M, offset_m[under].clip(_PRESSED_M))
    return offset_m


def _surfaces(avatar: Avatar, vertices: Array, body2world: Array) -> tuple[Surface, ...]:
    placed = (vertices, _hand_points(avatar, vertices), body2world)
    surfaces = tuple(_surface(avatar, part, *placed) for part in avatar.parts)
    if avatar.looks is None:
        return surfaces
    skull, floor_m = avatar.tree.bodies.index("skull"), vertices[: len(avatar.skin_body), 1].min()
    motion = body2world[skull] @ avatar.world2rest[skull]
    return with_hanging_hair(avatar.parts, surfaces, avatar.looks.hair.head, motion, floor_m)


def _surface(
    avatar: Avatar,
    part: Part,
    vertices: Array,
    hands: tuple[_Cloud, ...],
    body2world: Array,
) -> Surface:
    if part.body is not None:
        assert part.rest_world is not None
        body = avatar.tree.bodies.index(part.body)
        motion = body2world[body] @ avatar.world2rest[body]
        placed = part.rest_world @ motion[:3, :3].T + motion[:3, 3]
        normals = (part.rest_normals @ motion[:3, :3].T).astype(np.float32)
    else:
        assert part.stencil is not None
        placed = part.stencil @ vertices
        normals = vertex_normals(placed, part.faces, part.weld)
        if part.offset_m is not None and part.offset_m.any():
            pressed_m = _pressed_m(avatar, part, placed, hands)
            placed = placed + normals * _above_floor_m(placed, normals, pressed_m)[:, None]
            normals = vertex_normals(placed, part.faces, part.weld)
    return Surface(
        key=_key(avatar, part),
        vertices_world=placed.astype(np.float32),
        faces=part.faces,
        uv=part.uv,
        material=part.material,
        normals_world=normals,
    )


def _key(avatar: Avatar, part: Part) -> str:  # what is one's own is the same in all clothes
    own = avatar.looks is not None and any(part.name == mine.name for mine in avatar.looks.own)
    return f"{avatar.subject.subject_id}{'' if own else f'/{avatar.outfit}'}/{part.name}"
