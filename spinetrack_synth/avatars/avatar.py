"""An avatar: a subject's body bound to its own scaled OpenSim model, dressed, ready to be posed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from spinetrack_synth.anatomy.kinematics import body_transforms, points_world
from spinetrack_synth.anatomy.model import Tree, fullbody
from spinetrack_synth.anatomy.parts import PARTS, part_rows
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
from spinetrack_synth.avatars.figure import suit
from spinetrack_synth.avatars.fingers import Hand, bend, find_hands
from spinetrack_synth.avatars.flesh import Flesh, flesh, mend
from spinetrack_synth.avatars.hanging import hang
from spinetrack_synth.avatars.heads import face_of, with_hanging_hair
from spinetrack_synth.avatars.landmarks import find_landmarks
from spinetrack_synth.avatars.mesh import Sheet
from spinetrack_synth.avatars.parts import Cover, Part, part_shares, riding, softness
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
from spinetrack_synth.avatars.styles import SPORTS, draw_style
from spinetrack_synth.community import AssetFolder
from spinetrack_synth.easing import smoothstep
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

    ``flesh`` is what the skin keeps in every pose. ``bone_order`` lists (bone, the bone it hangs
    on) with parents first; bones are the model's bodies followed by the twist-free ones.
    ``skin_body`` (V,) is the body each skin vertex moves with most and ``skin_faces`` (F, 4) its
    quads. ``hands`` are the right and the left one. ``probe`` is the skin as grounding feels it,
    ``capsules`` as collisions do; ``physique`` what is told of the body. ``looks`` is what is drawn
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
        share = np.zeros((len(self.binding.bone), len(PARTS)))
        part = rows[_untwisted(self.tree)[self.binding.bone]]
        for k in range(part.shape[1]):
            np.add.at(share, (np.arange(len(part)), part[:, k]), self.binding.weight[:, k])
        return tuple(part_shares(drawn, share, rows, self.tree.bodies) for drawn in self.parts)

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


NO_CHOICE: Final[Mapping[str, float]] = {}
"""No weights of styles: sportswear, barefoot."""


@dataclass(frozen=True)
class Present:
    """The subjects of one shot in its clothes; ``changing`` faces are others in every shot."""

    cast: Cast
    numbers: range
    outfit: int
    spines: float = 0.0
    clothes: Mapping[str, float] = field(default_factory=dict)
    changing: bool = True

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.numbers)

    def avatar(self, k: int) -> Avatar:
        """The k-th of them."""
        number = self.numbers[k]
        style = draw_style(self.clothes, [self.cast.seed, number, self.outfit])
        return self.cast.avatar(number, self.outfit, self.spines, style)


class Cast:
    """The subjects of a dataset, each made when first asked for: subject k depends on (seed, k).

    ``people`` fixes their number; None: there is no end of them. ``changing`` clothes are others
    in every shot, else outfit 0 is worn in all. Assets of the user's, ``worn``, are part of them.
    """

    WINDOW: Final = 10
    """Subjects that a shot chooses from, where there is no end of them."""

    SHOTS_A_STEP: Final = 3
    """Shots after which one goes and another comes."""

    KEPT: Final = 24
    """Avatars kept ready."""

    def __init__(
        self,
        seed: int,
        people: int | None = None,
        changing: bool = True,
        worn: AssetFolder | None = None,
    ) -> None:
        self.seed = seed
        self.people = people
        self.changing = changing
        self.worn = worn
        self._made = lru_cache(maxsize=self.KEPT)(self._make)
        self._dressed = lru_cache(maxsize=self.KEPT)(self._dress)

    def present(
        self,
        index: int,
        count: int = 1,
        spines: float = 0.0,
        clothes: Mapping[str, float] = NO_CHOICE,
    ) -> Present:
        """Who may be in shot ``index``, at least ``count`` of them where there is no end of them;
        a share ``spines`` of them with a spine that is not normal, in ``clothes`` of styles by
        weight.

        The shot's index is the number of their outfits. Where clothes do not change, their style
        does not either.
        """
        first = 0 if self.people is not None else index // self.SHOTS_A_STEP
        size = self.people or max(self.WINDOW, count)
        outfit = index if self.changing else 0
        styles = clothes if self.changing else NO_CHOICE
        numbers = range(first, first + size)
        return Present(self, numbers, outfit, spines, styles, self.changing)

    def avatar(self, k: int, outfit: int = 0, spines: float = 0.0, style: str = SPORTS) -> Avatar:
        """Avatar of subject k >= 0 in the outfit of a number, as ``sample_subject`` has it."""
        if k < 0 or (self.people is not None and k >= self.people):
            raise IndexError(f"subject {k} of a cast of {self.people}")
        # Scenes differ in the share; whom it leaves as he is, is made once for all of them.
        shaped = sample_subject(self.seed, k, spines).spine != NORMAL
        return self._dressed(k, outfit, shaped, style)

    def _make(self, k: int, shaped: bool) -> Avatar:
        return undressed_avatar(sample_subject(self.seed, k, 1.0 if shaped else 0.0), self.worn)

    def _dress(self, k: int, outfit: int, shaped: bool, style: str) -> Avatar:
        return redress(self._made(k, shaped), outfit, style, self.worn)


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
    motions = bone_motions(avatar, body2world)
    below = _Below.of(avatar, vertices, body2world) if _hangs(avatar) else None
    hands = _hand_points(avatar, vertices)
    markers = points_world(body2world, tree.marker_body, tree.marker_offset_m)
    surfaces = tuple(
        _surface(avatar, part, vertices, hands, motions, below, shares)
        for part, shares in zip(avatar.parts, avatar.body_parts, strict=True)
    )
    return PosedPerson(
        subject_id=avatar.subject.subject_id,
        pose="",
        coordinates=np.full(len(tree.coordinates), np.nan),
        scale_factors=avatar.rig.scale_factors,
        body2world=body2world,
        keypoints_world=markers[[tree.marker_index[name] for name in NAMES]],
        skin_world=vertices[: len(avatar.skin_body)].astype(np.float32),
        skin_body=avatar.skin_body,
        surfaces=_with_hair(avatar, surfaces, motions, vertices),
        fingers_rad=fingers,
        clothes=", ".join(avatar.garments),
        style=avatar.style,
        outfit=avatar.outfit,
        physique=avatar.physique,
        assets=tuple(part.asset for part in avatar.parts if part.asset),
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


def _untwisted(tree: Tree) -> Ints:
    """The body (S,) of each bone: a twist-free one counts for its own."""
    return np.array([*range(len(tree.bodies)), *map(tree.bodies.index, TWIST_FREE)])


def _dominant_body(tree: Tree, bone: NDArray[np.int32], weight: Array) -> NDArray[np.int32]:
    body = _untwisted(tree)[bone]
    total = np.zeros((len(bone), len(tree.bodies)))
    for k in range(bone.shape[1]):
        np.add.at(total, (np.arange(len(bone)), body[:, k]), weight[:, k])
    dominant: NDArray[np.int32] = np.argmax(total, axis=1).astype(np.int32)
    return dominant


def _hangs(avatar: Avatar) -> bool:
    return any(part.hanging is not None for part in avatar.parts)


@dataclass(frozen=True, eq=False)
class _Below:
    """What hanging cloth lies on, as `hanging.hang` wants it."""

    body: tuple[Array, Array]
    hands: tuple[Array, Array]
    floor_m: float
    seat: Array
    turned: Array | None

    @classmethod
    def of(cls, avatar: Avatar, vertices: Array, body2world: Array) -> _Below:
        """The body of a posed avatar; it sits where its thighs are level above the floor."""
        skin = vertices[: len(avatar.skin_body)]
        quads = avatar.skin_faces
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        normals = vertex_normals(skin, triangles, np.arange(len(skin), dtype=np.int32))
        sheet, distinct = avatar.draped_suit
        around = sheet.stencil @ vertices
        outward = vertex_normals(around, sheet.faces, sheet.weld)
        floor_m = min(0.0, float(skin[:, 1].min()) - avatar.sole_m)
        index = avatar.tree.body_index
        thighs = [
            body2world[index[f"tibia_{side}"], :3, 3] - body2world[index[f"femur_{side}"], :3, 3]
            for side in "rl"
        ]
        level = all(thigh[1] > -0.55 * np.linalg.norm(thigh) for thigh in thighs)
        x, _, z = body2world[index["pelvis"], :3, 3]
        up = body2world[index["pelvis"], :3, 1].copy()
        about = np.hypot(skin[:, 0] - x, skin[:, 2] - z) < _BUTTOCKS_M
        about &= np.isin(
            avatar.skin_body, [index[name] for name in ("pelvis", "femur_r", "femur_l")]
        )
        lowest = float(skin[about, 1].min()) if about.any() else floor_m
        seated = level and up[1] > 0 and lowest > floor_m + 0.1
        seat = np.array([x, z, _SEAT_M if seated else 0.0, lowest])
        hands, bare = avatar.draped_skin
        worn = skin[bare]
        if avatar.sole_m:  # shoes are thicker than feet
            shod = np.isin(avatar.skin_body[bare], avatar.feet)
            worn[shod] += _UPPER_M * normals[bare][shod]
        return cls(
            (
                np.concatenate([around[distinct], worn]),
                np.concatenate([outward[distinct], normals[bare]]).astype(np.float64),
            ),
            (skin[hands], normals[hands].astype(np.float64)),
            floor_m,
            seat,
            up if up[1] < -0.5 else None,
        )


_UPPER_M: Final = 0.014
"""How far the upper of a shoe stands off the foot."""

_SEAT_M: Final = 0.36
_BUTTOCKS_M: Final = 0.22
"""About the pelvis, a seat is so wide, and so much of it is sat on."""

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


def _tucked_in_m(
    cover: Cover,
    vertices: Array,
    placed: Array,
    normals: NDArray[np.floating],
    offset_m: NDArray[np.floating],
) -> NDArray[np.floating]:
    """How far skin stands off its places (P, 3) where it stays under the cloth that covers it."""
    off = placed[cover.vertex] - cover.stencil @ vertices
    above = np.einsum("ij,ij->i", off, normals[cover.vertex]) + offset_m[cover.vertex]
    over = np.maximum(above - cover.cloth_m + _TUCKED_M, 0.0)
    offset_m = offset_m.copy()
    offset_m[cover.vertex] -= np.minimum(over, _MOST_TUCKED_M)
    return offset_m


_TUCKED_M: Final = 0.0015
_MOST_TUCKED_M: Final = 0.02
"""How far below cloth skin stays, and how far it is pushed for that at most."""


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


def _with_hair(
    avatar: Avatar, surfaces: tuple[Surface, ...], motions: Array, vertices: Array
) -> tuple[Surface, ...]:
    """The surfaces with the hair as it hangs in this pose."""
    if avatar.looks is None:
        return surfaces
    floor_m = float(vertices[: len(avatar.skin_body), 1].min())
    motion = motions[avatar.tree.bodies.index("skull")]
    return with_hanging_hair(avatar.parts, surfaces, avatar.looks.hair.head, motion, floor_m)


def _surface(
    avatar: Avatar,
    part: Part,
    vertices: Array,
    hands: tuple[_Cloud, ...],
    motions: Array,
    below: _Below | None,
    shares: NDArray[np.uint8],
) -> Surface:
    if part.body is not None:
        assert part.rest_world is not None
        body = avatar.tree.bodies.index(part.body)
        motion = motions[body]
        placed = part.rest_world @ motion[:3, :3].T + motion[:3, 3]
        normals = (part.rest_normals @ motion[:3, :3].T).astype(np.float32)
    elif part.binding is not None:
        placed = deform(part.binding, motions, avatar.bone_order)[0][part.weld]
        if part.hanging is not None:
            assert below is not None
            placed = hang(
                part.hanging,
                placed,
                below.body,
                below.hands,
                below.floor_m,
                below.seat,
                below.turned,
            )
        normals = vertex_normals(placed, part.faces, part.weld)
    else:
        assert part.stencil is not None
        placed = part.stencil @ vertices
        if part.lift_world is not None:
            placed = placed + _turned(avatar, part, motions)
            lowest = float(vertices[: len(avatar.skin_body), 1].min())
            placed[:, 1] = np.maximum(placed[:, 1], min(0.0, lowest))
        normals = vertex_normals(placed, part.faces, part.weld)
        if part.offset_m is not None and part.offset_m.any():
            pressed_m = _pressed_m(avatar, part, placed, hands)
            if part.cover is not None:
                pressed_m = _tucked_in_m(part.cover, vertices, placed, normals, pressed_m)
            placed = placed + normals * _above_floor_m(placed, normals, pressed_m)[:, None]
            normals = vertex_normals(placed, part.faces, part.weld)
    return Surface(
        key=_key(avatar, part),
        vertices_world=placed.astype(np.float32),
        faces=part.faces,
        uv=part.uv,
        material=part.material,
        normals_world=normals,
        parts=shares,
    )


def _turned(avatar: Avatar, part: Part, motions: Array) -> Array:
    """How far (P, 3) m a part lies off the base mesh, turned as the bones there have turned."""
    assert part.stencil is not None and part.lift_world is not None
    weight = part.stencil @ avatar.bone_weights
    turn = np.asarray(weight @ motions[:, :3, :3].reshape(-1, 9)).reshape(-1, 3, 3)
    turned: Array = np.einsum("pij,pj->pi", turn, part.lift_world)
    # Blended rotations shorten what they turn.
    length, blended = (np.linalg.norm(v, axis=1) for v in (part.lift_world, turned))
    turned *= (length / np.maximum(blended, 1e-9))[:, None]
    return turned


def _key(avatar: Avatar, part: Part) -> str:
    """What is the subject's own is the same in all clothes."""
    name = avatar.subject.subject_id
    own = avatar.looks.own if avatar.looks else ()
    if not part.asset and any(part.name == mine.name for mine in own):
        return f"{name}/{part.name}"
    style = "" if avatar.style == SPORTS else f"{avatar.style}-"
    return f"{name}/{style}{avatar.outfit}/{part.name}"
