"""What stands in the level: frozen actors and cameras, and the shot they make.

Numbers are kept as they were set, in Unreal's cm and degrees; the world's metres appear where
surfaces and shots are made. Nothing here draws, and nothing knows of commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from colorsys import hsv_to_rgb
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import count
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.avatar import Avatar, bone_frames
from spinetrack_synth.avatars.body import known_subject
from spinetrack_synth.avatars.making import make_avatar
from spinetrack_synth.avatars.posing import pose_bodies
from spinetrack_synth.avatars.rig import bone_names
from spinetrack_synth.rendering.server import bounds
from spinetrack_synth.rendering.unreal import axes
from spinetrack_synth.scenes import shapes, textures
from spinetrack_synth.scenes.places import PLACES, place
from spinetrack_synth.scenes.things import ASSETS, unit_surfaces
from spinetrack_synth.shot import (
    Ambient,
    Light,
    PosedPerson,
    Shot,
    Sun,
    Surface,
    Thing,
)

Array = NDArray[np.float64]
Triple = tuple[float, float, float]
Color = tuple[int, int, int]

MOST_AVATARS_KEPT: Final = 24
"""Bodies kept ready after they were made; as many as a dataset's cast."""

DARKEST: Final = 32
"""Least value of a colour channel that is not zero, in colours that the level gives."""

DAYLIGHT: Final[tuple[Light, ...]] = (
    Sun((0.5, 0.7, 0.3), turbidity=3.0),
    Ambient((0.02, 0.02, 0.02)),
)
"""Of a level whose lights nobody has set."""


class LevelError(Exception):
    """The level cannot do what it was told to: one line for the client."""


@dataclass(frozen=True)
class Placement:
    """Where an actor stands: location cm, rotator degrees, scale along its own axes.

    Raises ValueError for numbers that the level cannot bear, as do cameras.
    """

    location: Triple = (0.0, 0.0, 0.0)
    rotator_deg: Triple = (0.0, 0.0, 0.0)
    scale: Triple = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        bounds.check_location(self.location)
        bounds.check_angles(self.rotator_deg)
        bounds.check_scale(self.scale)

    @property
    def local2world(self) -> Array:
        """The actor's frame (4, 4) in the world, m, without its scale."""
        frame = np.eye(4)
        frame[:3, :3] = axes.rotations_swapped(axes.rotator_matrix(self.rotator_deg))
        frame[:3, 3] = axes.to_world(self.location)
        return frame

    def applied(self, surface: Surface) -> Surface:
        """A surface around the origin as the actor's."""
        frame, scale = self.local2world, axes.axes_swapped(self.scale)
        vertices = (surface.vertices_world * scale) @ frame[:3, :3].T + frame[:3, 3]
        normals = surface.normals_world
        if normals is not None:
            slopes = normals / np.where(scale == 0, 1.0, scale)
            slopes /= np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-12)
            normals = (slopes @ frame[:3, :3].T).astype(np.float32)
        return replace(surface, vertices_world=vertices.astype(np.float32), normals_world=normals)


@dataclass(frozen=True, eq=False)
class Pose:
    """Frames (B, 4, 4) of an avatar's bodies in its actor's frame, m, and its fingers' bends
    (2, 5, 3) rad, None at rest. Equal to itself only."""

    bodies: Array
    fingers: Array | None = None


Kind = Literal["avatar", "thing", "cube", "place"]

CLASS_NAMES: Final[dict[Kind, str]] = {
    "avatar": "SkeletalMeshActor",
    "thing": "StaticMeshActor",
    "cube": "CubeActor",
    "place": "LevelInstance",
}


@dataclass(frozen=True)
class Actor:
    """Something that stands in the level under a name, with the colour it has in masks.

    ``asset``: a subject's id, a thing of ``scenes.things`` or of the level's own, or
    ``place/variant``. ``parts`` are the surfaces of a thing of the level's own.
    """

    name: str
    kind: Kind
    asset: str
    color: Color
    placement: Placement = Placement()
    shown: bool = True
    pose: Pose | None = None
    parts: tuple[Surface, ...] = field(default=(), compare=False)

    @property
    def movable(self) -> bool:
        """Places stay where they are."""
        return self.kind != "place"

    @property
    def body2world(self) -> Array:
        """An avatar's bodies (B, 4, 4) in the world, m."""
        assert self.pose is not None
        return self.placement.local2world @ self.pose.bodies

    def posed(self, body2world: Array) -> Actor:
        """The avatar with its bodies at frames (B, 4, 4) in the world, the actor where it was.

        Raises ValueError where a body is too far away.
        """
        assert self.pose is not None
        bounds.check_location(axes.to_unreal(body2world[:, :3, 3]))
        bodies = np.linalg.inv(self.placement.local2world) @ body2world
        return replace(self, pose=Pose(bodies, self.pose.fingers))

    def holding(self, fingers: Array | None) -> Actor:
        """The avatar with its fingers bent (2, 5, 3) rad. Raises ValueError for angles too wide."""
        assert self.pose is not None
        if fingers is not None:
            bounds.check_angles(np.degrees(fingers))
        return replace(self, pose=Pose(self.pose.bodies, fingers))

    @property
    def person(self) -> PosedPerson:
        """An avatar as it is drawn."""
        assert self.pose is not None
        return _person(self.asset, self.placement, self.pose)

    @property
    def surfaces(self) -> tuple[Surface, ...]:
        """What is drawn of it."""
        if self.kind == "avatar":
            return self.person.surfaces
        if self.kind == "place":
            name, variant = self.asset.split("/")
            return place(name, int(variant)).surfaces
        own = (_cube(),) if self.kind == "cube" else self.parts
        parts = own or unit_surfaces(self.asset)
        return tuple(self.placement.applied(part) for part in parts)

    def bones(self) -> tuple[tuple[str, ...], Array]:
        """Names (S) of an avatar's bones and their frames (S, 4, 4) in the world, m."""
        avatar = avatar_of(self.asset)
        return bone_names(avatar.tree), bone_frames(avatar, self.body2world)


@dataclass(frozen=True)
class Lens:
    """A camera of the level: location cm, rotator and field of view degrees, size px."""

    name: str = "FusionCameraActor_0"
    location: Triple = (0.0, 0.0, 100.0)
    rotator_deg: Triple = (0.0, 0.0, 0.0)
    fov_deg: float = 90.0
    size: tuple[int, int] = (640, 480)

    def __post_init__(self) -> None:
        bounds.check_location(self.location)
        bounds.check_angles(self.rotator_deg)


@dataclass(frozen=True)
class Level:
    """All there is: actors by name in the order they came, cameras, lights.

    ``own_things`` are surfaces around the origin of the things that it has beside those of
    ``scenes.things``, by asset.
    """

    actors: dict[str, Actor] = field(default_factory=dict)
    cameras: tuple[Lens, ...] = (Lens(),)
    lights: tuple[Light, ...] = DAYLIGHT
    exposure: float = 1.0
    own_things: Mapping[str, tuple[Surface, ...]] = field(default_factory=dict)

    def has_thing(self, asset: str) -> bool:
        """Whether there is such an asset."""
        return asset in ASSETS or asset in self.own_things

    def actor(self, name: str) -> Actor:
        """The actor of a name. Raises LevelError where there is none."""
        try:
            return self.actors[name]
        except KeyError:
            raise LevelError("Cannot find object") from None

    def avatar(self, name: str) -> Actor:
        """The avatar of a name. Raises LevelError where there is none."""
        actor = self.actor(name)
        if actor.kind != "avatar":
            raise LevelError(f"{name} is no avatar")
        return actor

    def lens(self, camera: int) -> Lens:
        """A camera by its number. Raises LevelError where there is none."""
        if camera >= len(self.cameras):
            raise LevelError("Invalid sensor id")
        return self.cameras[camera]

    @property
    def place(self) -> Actor | None:
        """The surroundings, where there are any."""
        return next((actor for actor in self.actors.values() if actor.kind == "place"), None)

    # Changes: each gives a new level

    def with_actor(self, actor: Actor) -> Level:
        """One actor more, or another in the place of the one of this name."""
        return replace(self, actors={**self.actors, actor.name: actor})

    def without(self, *names: str) -> Level:
        """Some actors less."""
        return replace(self, actors={n: a for n, a in self.actors.items() if n not in names})

    def with_lens(self, camera: int, lens: Lens) -> Level:
        """A camera changed."""
        cameras = (*self.cameras[:camera], lens, *self.cameras[camera + 1 :])
        return replace(self, cameras=cameras)

    def spawned(self, kind: Kind, asset: str, name: str, placement: Placement) -> Level:
        """A new actor, an avatar at rest. Raises LevelError where the name is taken."""
        if not name or "/" in name:
            raise LevelError(f"'{name}' cannot be a name")
        if name in self.actors:
            raise LevelError(f"Failed to spawn {name}, object exists.")
        pose = Pose(avatar_of(asset).rig.body2world) if kind == "avatar" else None
        used = {actor.color for actor in self.actors.values()}
        color = next(color for color in map(_color, count()) if color not in used)
        parts = self.own_things.get(asset, ())
        return self.with_actor(Actor(name, kind, asset, color, placement, pose=pose, parts=parts))

    def with_place(self, name: str, variant: int) -> Level:
        """Other surroundings. Raises LevelError where there are no such."""
        kind = PLACES.get(name)
        if kind is None or variant >= kind.variants:
            known = ", ".join(f"{name} 0-{kind.variants - 1}" for name, kind in PLACES.items())
            raise LevelError(f"there is no place {name} {variant}; there are {known}")
        present = self.place
        asset = f"{name}/{variant}"
        if present is not None and present.asset == asset:
            return self
        level = self if present is None else self.without(present.name)
        return level.spawned("place", asset, f"{name}_{variant}", Placement())

    def with_things(self, things: Iterable[Thing]) -> Level:
        """The things replaced. Raises LevelError where there is no such asset."""
        things = tuple(things)
        level = self.without(*(a.name for a in self.actors.values() if a.kind == "thing"))
        for thing in things:
            if not self.has_thing(thing.asset):
                raise LevelError(f"there is no thing {thing.asset}")
            name = thing.asset.replace("/", "_")
            while name in level.actors:
                name += "_"
            level = level.spawned("thing", thing.asset, name, placement_of(thing))
        return level

    def lit(self, lights: tuple[Light, ...], exposure: float) -> Level:
        """Other lights and another factor on the exposure.

        Raises ValueError for a light or a factor that cannot be.
        """
        bounds.check_exposure(exposure)
        for light in lights:
            bounds.check_light(light)
        return replace(self, lights=lights, exposure=exposure)

    def view(self, camera: int) -> View:
        """What a camera sees. Raises LevelError where there is no such camera."""
        return View(
            lens=self.lens(camera),
            actors=tuple(
                replace(actor, color=(0, 0, 0)) for actor in self.actors.values() if actor.shown
            ),
            lights=self.lights,
            exposure=self.exposure,
        )


@dataclass
class CurrentLevel:
    """The level as it is now: commands put another in its place."""

    level: Level


@dataclass(frozen=True)
class View:
    """A lens, the actors that are shown, less their colours, and the light.

    Equal views make equal pictures.
    """

    lens: Lens
    actors: tuple[Actor, ...]
    lights: tuple[Light, ...]
    exposure: float

    def staged(self) -> Staged:
        """The view as it is drawn: the avatars' surfaces after all others."""
        lens = self.lens
        people = {a.name: a.person for a in self.actors if a.kind == "avatar"}
        around = {a.name: a.surfaces for a in self.actors if a.kind != "avatar"}
        place = next((actor.asset for actor in self.actors if actor.kind == "place"), "")
        if not place:
            around[""] = (_ground(),)
        drawn = around | {name: person.surfaces for name, person in people.items()}
        shot = Shot(
            index=0,
            seed=0,
            scene="level",
            place=place,
            camera=axes.camera_to_world(
                axes.UnrealCamera(
                    np.array(lens.location), np.array(lens.rotator_deg), lens.fov_deg, *lens.size
                )
            ),
            people=tuple(people.values()),
            surroundings=tuple(surface for surfaces in around.values() for surface in surfaces),
            lights=self.lights,
            exposure=self.exposure,
        )
        return Staged(shot, tuple(name for name, surfaces in drawn.items() for _ in surfaces))


@dataclass(frozen=True, eq=False)
class Staged:
    """A shot, and for each of its surfaces the name of the actor it belongs to ("" for none)."""

    shot: Shot
    surface_names: tuple[str, ...]


@lru_cache(maxsize=MOST_AVATARS_KEPT)
def avatar_of(asset: str) -> Avatar:
    """The avatar of a subject's id. Raises LevelError where there is no such subject."""
    try:
        return make_avatar(known_subject(asset))
    except KeyError:
        raise LevelError(f"there is no avatar {asset}; they are named s<seed>-<number>") from None


@lru_cache(maxsize=MOST_AVATARS_KEPT)
def _person(asset: str, placement: Placement, pose: Pose) -> PosedPerson:
    """An avatar's skin and clothes where it stands: kept, for only the camera may have moved."""
    return pose_bodies(avatar_of(asset), placement.local2world @ pose.bodies, pose.fingers)


def placement_of(thing: Thing) -> Placement:
    """Where a thing lies, in Unreal's terms."""
    return Placement(
        _three(axes.to_unreal(thing.position_world)),
        axes.rotator_deg(thing.yaw_rad, thing.pitch_rad, thing.roll_rad),
        _three(axes.axes_swapped(thing.scale)),
    )


def _three(values: Array) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _color(number: int) -> Color:
    """The n-th of many colours that are easy to tell apart, no channel between 0 and DARKEST."""
    hue = (number * 0.618034) % 1.0
    saturation, value = (1.0, 0.62)[number // 7 % 2], (1.0, 0.7, 0.45)[number // 14 % 3]
    red, green, blue = (
        max(DARKEST, round(255 * channel)) for channel in hsv_to_rgb(hue, saturation, value)
    )
    return red, green, blue


@cache
def _cube() -> Surface:
    """A cube of one metre around the origin."""
    finish = textures.paint((0.6, 0.6, 0.6), roughness=0.7)
    return textures.surface("cube", finish, [shapes.box((1, 1, 1))])


@cache
def _ground() -> Surface:
    """A wide plain floor, where no place is."""
    finish = textures.paint((0.5, 0.5, 0.5), roughness=0.9)
    plane = shapes.rectangle((-100, 0, -100), (0, 0, 200), (200, 0, 0))
    return textures.surface("ground", finish, [plane])
