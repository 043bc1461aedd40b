"""Commands of objects: what stands in the level, where, in which colour, of which bones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.rendering.server.commands.cameras import CAMERA_CLASS, CameraCommands
from spinetrack_synth.rendering.server.commands.replies import bone_json, three
from spinetrack_synth.rendering.server.dispatch import Bind
from spinetrack_synth.rendering.server.level import (
    CLASS_NAMES,
    Actor,
    CurrentLevel,
    Kind,
    LevelError,
    Placement,
)
from spinetrack_synth.rendering.unreal import axes


class ObjectCommands:
    """Of the actors of the level; cameras are spawned like them."""

    def __init__(self, current: CurrentLevel, cameras: CameraCommands) -> None:
        self._current = current
        self._cameras = cameras

    def bind(self, bind: Bind) -> None:
        """Add the commands of objects."""
        at = "/object/[str]"
        xyz = "[float] [float] [float]"
        bind("vget /objects", "Get the name of all objects", self._list)
        for named in ("", " [str]"):
            for located in ("", f" {xyz}"):
                bind(
                    f"vset /objects/spawn_cube{named}{located}",
                    "Spawn a cube of 1 m, named and located if told so",
                    self._spawner("cube", bool(named)),
                )
                bind(
                    f"vset /objects/spawn [str]{named}{located}",
                    f"Spawn CubeActor, {CAMERA_CLASS}, or a thing such as mat/3",
                    self._spawner(None, bool(named)),
                )
        bind(f"vget {at}/location", "Get object location [x, y, z]", self._location)
        bind(f"vset {at}/location {xyz}", "Set object location [x, y, z]", self._move)
        bind(f"vget {at}/rotation", "Get object rotation [pitch, yaw, roll]", self._rotation)
        bind(f"vset {at}/rotation {xyz}", "Set object rotation [pitch, yaw, roll]", self._turn)
        bind(f"vget {at}/scale", "Get object scale [x, y, z]", self._scale)
        bind(f"vset {at}/scale {xyz}", "Set object scale [x, y, z]", self._rescale)
        bind(f"vget {at}/color", "Get the colour of an object in object_mask", self._color)
        bind(
            f"vset {at}/color [uint] [uint] [uint]",
            "Set the colour of an object in object_mask [r, g, b]",
            self._recolor,
        )
        bind(f"vset {at}/show", "Show object", lambda name: self._change(name, shown=True))
        bind(f"vset {at}/hide", "Hide object", lambda name: self._change(name, shown=False))
        bind(f"vset {at}/destroy", "Destroy object", self._destroy)
        bind(f"vset {at}/name [str]", "Set the name of the object", self._rename)
        bind(f"vget {at}/mobility", "Is the object static or movable?", self._mobility)
        bind(f"vget {at}/uclass_name", "Get the class name", self._class_name)
        bind(f"vget {at}/bounds", "Get the bounds [minx, y, z, maxx, y, z]", self._bounds)
        bind(f"vget {at}/vertex_location", "Get all vertices, one a line", self._vertices)
        bind(f"vget {at}/bones", "Get all bones in component space as JSON", self._bones)
        bind(
            f"vget {at}/bones [str]",
            "Get all bones in component|world space, or bones a,b,c, as JSON",
            self._bones,
        )
        bind(
            f"vget {at}/bones [str] [str]",
            "Get bones a,b,c in component|world space as JSON",
            self._bones,
        )

    def _list(self) -> str:
        return " ".join(self._current.level.actors)

    def _spawner(self, kind: Kind | None, named: bool) -> Callable[..., str]:
        def handler(*values: Any) -> str:
            rest = list(values)
            asset = "CubeActor" if kind == "cube" else rest.pop(0)
            name = rest.pop(0) if named else ""
            x, y, z = rest or (0.0, 0.0, 0.0)
            return self._spawn(asset, name, Placement((x, y, z)))

        return handler

    def _spawn(self, asset: str, name: str, placement: Placement) -> str:
        if asset == CAMERA_CLASS:
            return self._cameras.spawn(name, placement.location)
        if asset != "CubeActor" and not self._current.level.has_thing(asset):
            raise LevelError(f"Can not find a class with name '{asset}'")
        if not name:
            name = self._free_name(asset.replace("/", "_"))
        self._current.level = self._current.level.spawned(
            "cube" if asset == "CubeActor" else "thing", asset, name, placement
        )
        return name

    def _free_name(self, stem: str) -> str:
        number = 0
        while f"{stem}_{number}" in self._current.level.actors:
            number += 1
        return f"{stem}_{number}"

    def _location(self, name: str) -> str:
        return three(self._current.level.actor(name).placement.location)

    def _rotation(self, name: str) -> str:
        return three(self._current.level.actor(name).placement.rotator_deg)

    def _scale(self, name: str) -> str:
        return three(self._current.level.actor(name).placement.scale)

    def _move(self, name: str, x: float, y: float, z: float) -> None:
        self._put(name, location=(x, y, z))

    def _turn(self, name: str, pitch: float, yaw: float, roll: float) -> None:
        self._put(name, rotator_deg=(pitch, yaw, roll))

    def _rescale(self, name: str, x: float, y: float, z: float) -> None:
        if self._current.level.actor(name).kind == "avatar":
            raise LevelError(f"{name} is an avatar: its size is its subject's")
        self._put(name, scale=(x, y, z))

    def _put(self, name: str, **change: Any) -> None:
        actor = self._current.level.actor(name)
        if not actor.movable:
            raise LevelError(f"{name} is static")
        self._change(name, placement=replace(actor.placement, **change))

    def _change(self, name: str, **change: Any) -> None:
        self._current.level = self._current.level.with_actor(
            replace(self._current.level.actor(name), **change)
        )

    def _color(self, name: str) -> str:
        red, green, blue = self._current.level.actor(name).color
        return f"(R={red},G={green},B={blue},A=255)"

    def _recolor(self, name: str, red: int, green: int, blue: int) -> None:
        if max(red, green, blue) > 255:
            raise LevelError(f"{red} {green} {blue} is no colour: 0-255 each")
        self._change(name, color=(red, green, blue))

    def _destroy(self, name: str) -> None:
        self._current.level = self._current.level.without(self._current.level.actor(name).name)

    def _rename(self, name: str, other: str) -> None:
        level = self._current.level
        actor = level.actor(name)
        if other in level.actors:
            raise LevelError(
                f"Renaming an object to overwrite an existing object is not allowed: {other}"
            )
        self._current.level = self._current.level.without(name).with_actor(
            replace(actor, name=other)
        )

    def _mobility(self, name: str) -> str:
        return "Movable" if self._current.level.actor(name).movable else "Static"

    def _class_name(self, name: str) -> str:
        return CLASS_NAMES[self._current.level.actor(name).kind]

    def _bounds(self, name: str) -> str:
        vertices = _vertices(self._current.level.actor(name))
        return " ".join(f"{value:.2f}" for value in (*vertices.min(0), *vertices.max(0)))

    def _vertices(self, name: str) -> str:
        vertices = _vertices(self._current.level.actor(name))
        return "\n".join(f"{x:.5f}     {y:.5f}     {z:.5f}" for x, y, z in vertices)

    def _bones(self, name: str, *which: str) -> str:
        if self._current.level.actor(name).kind != "avatar":
            raise LevelError("No skeletal or poseable mesh component found")
        spaces = ("component", "world")
        space, chosen = "component", None
        for word in which:
            if word.lower() in spaces and word == which[-1]:
                space = word.lower()
            elif word == which[0]:
                chosen = word.split(",")
            else:
                raise LevelError("Bone space must be component or world")
        actor = self._current.level.avatar(name)
        names, frames = actor.bones()
        if space == "component":
            frames = np.linalg.inv(actor.placement.local2world) @ frames
        locations = axes.to_unreal(frames[:, :3, 3])
        rotators = axes.matrix_rotator(axes.rotations_swapped(frames[:, :3, :3]))
        listed = [
            bone_json(bone, location, rotator)
            for bone, location, rotator in zip(names, locations, rotators)
            if chosen is None or bone in chosen
        ]
        return "[" + ",".join(listed) + "]"


def _vertices(actor: Actor) -> NDArray[np.float64]:
    """All vertices (V, 3) of an actor in cm."""
    return np.concatenate([axes.to_unreal(s.vertices_world) for s in actor.surfaces])
