"""The commands of UnrealCV, and the project's own, over a level and the pictures of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from re import fullmatch
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import fullbody_path
from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.rendering.server import admission
from spinetrack_synth.rendering.server.dispatch import Answer, Dispatcher
from spinetrack_synth.rendering.server.encoding import FORMATS, encode, shown_depth, shown_normal
from spinetrack_synth.rendering.server.folder import Folder
from spinetrack_synth.rendering.server.level import (
    CLASS_NAMES,
    Actor,
    Kind,
    Lens,
    Level,
    LevelError,
    Placement,
    Triple,
    avatar_of,
)
from spinetrack_synth.rendering.server.unsupported import UNSUPPORTED
from spinetrack_synth.rendering.server.view_renderer import ViewRenderer
from spinetrack_synth.rendering.unreal import axes, messages
from spinetrack_synth.scenes.things import ASSETS
from spinetrack_synth.version import __version__

VERSION: Final = "1.1.2"
"""The version of UnrealCV whose commands these are."""

VIEW_MODES: Final = ("lit", "depth", "object_mask", "normal")

LARGEST_SIDE_PX: Final = 8192

CAMERA_CLASS: Final = "FusionCameraActor"


class Engine:
    """The level as clients see and change it.

    ``port`` is told in the status; pictures that clients save go below ``folder``.
    """

    def __init__(
        self, level: Level, view_renderer: ViewRenderer, port: int, folder: Folder
    ) -> None:
        self.level = level
        self._view_renderer = view_renderer
        self._port = port
        self._folder = folder
        self._view_mode = "lit"
        self._paused = False
        self._cubes = 0
        self.dispatcher = Dispatcher()
        for bind in (self._bind_status, self._bind_cameras, self._bind_objects, self._bind_rest):
            bind(self.dispatcher.bind)
        self._bind_avatars(self.dispatcher.bind)
        for template, why in UNSUPPORTED.items():
            self.dispatcher.bind_absent(template, why)

    # Status

    def _bind_status(self, bind: Callable[..., None]) -> None:
        dispatcher = self.dispatcher
        bind("vget /unrealcv/status", "Get the status of the server", self._status)
        bind("vget /unrealcv/help", "List all commands and what they do", lambda: dispatcher.help)
        bind("vget /unrealcv/version", "Get the version of UnrealCV", lambda: VERSION)
        bind(
            "vget /unrealcv/commands",
            "List the templates of all commands, one a line",
            lambda: "\n".join(dispatcher.templates),
        )
        bind("vget /unrealcv/echo [str]", "Give back what was sent", lambda text: text)
        bind(admission.TEMPLATE, "Give the token, where the server wants one", lambda token: None)
        bind("vget /scene/name", "Get the name of the project", lambda: "spinetrack_synth")
        bind("vget /level/name", "Get the name of the level", self._level_name)

    def _status(self) -> str:
        lens = self.level.lens(0)
        width, height = lens.size
        return "\n".join(
            [
                "Is Listening",
                "Client Connected",
                f"{self._port}",
                "Configuration",
                f"Config file: {self._folder.path / 'unrealcv.ini'}",
                f"Port: {self._port}",
                f"Width: {width}",
                f"Height: {height}",
                f"FOV: {lens.fov_deg:.1f}",
            ]
        )

    def _level_name(self) -> str:
        place = self.level.place
        return place.name if place else "empty"

    # Cameras

    def _bind_cameras(self, bind: Callable[..., None]) -> None:
        bind("vget /cameras", "List all cameras", self._list_cameras)
        bind("vset /cameras/spawn", "Spawn a new camera", self._spawn_camera)
        at = "/camera/[uint]"
        three = "[float] [float] [float]"
        bind(f"vget {at}/location", "Get camera location [x, y, z]", self._camera_location)
        bind(f"vset {at}/location {three}", "Set camera location [x, y, z]", self._move_camera)
        bind(f"vget {at}/rotation", "Get camera rotation [pitch, yaw, roll]", self._camera_rotation)
        bind(
            f"vset {at}/rotation {three}",
            "Set camera rotation [pitch, yaw, roll]",
            self._turn_camera,
        )
        bind(f"vget {at}/pose", "Get camera location and rotation", self._camera_pose)
        bind(
            f"vset {at}/pose {three} {three}",
            "Set camera location [x, y, z] and rotation [pitch, yaw, roll]",
            self._pose_camera,
        )
        bind(f"vget {at}/fov", "Get field of view across the larger side", self._camera_fov)
        bind(f"vset {at}/fov [float]", "Set field of view across the larger side", self._zoom)
        bind(f"vget {at}/size", "Get camera film size [width, height]", self._camera_size)
        bind(f"vset {at}/size [uint] [uint]", "Set camera film size", self._resize)
        for mode, help in (
            ("lit", "Get the picture in its light: png, bmp, npy or a file"),
            ("object_mask", "Get every object in its colour: png, bmp, npy or a file"),
            ("seg", "The same as object_mask"),
            ("normal", "Get surface normals: png, bmp, npy or a file"),
            ("depth", "Get planar depth in cm: npy or a file; png and bmp to look at"),
        ):
            picture = {"seg": "object_mask"}.get(mode, mode)
            bind(f"vget {at}/{mode} [str]", help, self._pictures_of(picture))
        bind("vget /screenshot [str]", "Get the picture of camera 0", self._screenshot)
        bind("vset /viewmode [str]", f"Set ViewMode to ({', '.join(VIEW_MODES)})", self._set_mode)
        bind("vget /viewmode", "Get current ViewMode", lambda: self._view_mode)

    def _list_cameras(self) -> str:
        return " ".join(lens.name for lens in self.level.cameras)

    def _spawn_camera(self, name: str = "", location: Triple = (0.0, 0.0, 0.0)) -> str:
        cameras = self.level.cameras
        lens = Lens(name or f"{CAMERA_CLASS}_{len(cameras)}", location, size=cameras[0].size)
        self.level = replace(self.level, cameras=(*cameras, lens))
        return lens.name

    def _camera_location(self, camera: int) -> str:
        return _three(self.level.lens(camera).location)

    def _camera_rotation(self, camera: int) -> str:
        return _three(self.level.lens(camera).rotator_deg)

    def _move_camera(self, camera: int, x: float, y: float, z: float) -> None:
        self._set_lens(camera, location=(x, y, z))

    def _turn_camera(self, camera: int, pitch: float, yaw: float, roll: float) -> None:
        self._set_lens(camera, rotator_deg=(pitch, yaw, roll))

    def _camera_pose(self, camera: int) -> str:
        return f"{self._camera_location(camera)} {self._camera_rotation(camera)}"

    def _pose_camera(self, camera: int, *values: float) -> None:
        self._set_lens(camera, location=values[:3], rotator_deg=values[3:])

    def _camera_fov(self, camera: int) -> str:
        return f"{self.level.lens(camera).fov_deg:f}"

    def _zoom(self, camera: int, fov_deg: float) -> None:
        if not 1 <= fov_deg <= 170:
            raise LevelError(f"a field of view of {fov_deg:g} degrees is not in 1-170")
        self._set_lens(camera, fov_deg=fov_deg)

    def _camera_size(self, camera: int) -> str:
        width, height = self.level.lens(camera).size
        return f"{width} {height}"

    def _resize(self, camera: int, width: int, height: int) -> None:
        if not (1 <= width <= LARGEST_SIDE_PX and 1 <= height <= LARGEST_SIDE_PX):
            raise LevelError(f"a size of {width} x {height} is not in 1-{LARGEST_SIDE_PX}")
        self._set_lens(camera, size=(width, height))

    def warm_up(self) -> None:
        """Make the pictures of camera 0, so that no client waits for kernels to be compiled."""
        for mode in VIEW_MODES:
            self._drawn(0, mode, as_array=True)

    def _set_lens(self, camera: int, **change: Any) -> None:
        self.level = self.level.with_lens(camera, replace(self.level.lens(camera), **change))

    def _pictures_of(self, mode: str) -> Callable[[int, str], Answer]:
        def handler(camera: int, target: str) -> Answer:
            return self._picture(camera, mode, target)

        return handler

    def _screenshot(self, target: str) -> Answer:
        return self._picture(0, "lit", target)

    def _picture(self, camera: int, mode: str, target: str) -> Answer:
        """A picture itself for a bare format, else the path of the file it was written to."""
        form = target if "." not in target else Path(target).suffix[1:].lower()
        if form not in FORMATS:
            raise LevelError(f"Invalid filename type, filename {target}")
        path = None if target == form else self._folder.below(target)
        content = encode(self._drawn(camera, mode, as_array=form == "npy"), form)
        if path is None:
            return content
        self._folder.write(path, content)
        return str(path)

    def _drawn(self, camera: int, mode: str, *, as_array: bool) -> NDArray:
        view = self.level.view(camera)
        if mode == "lit":
            return self._view_renderer.lit(view)
        if mode == "object_mask":
            colors = {name: actor.color for name, actor in self.level.actors.items()}
            return self._view_renderer.object_mask(view, colors)
        if mode == "depth":
            depth_cm = self._view_renderer.depth(view)
            return depth_cm if as_array else shown_depth(depth_cm)
        normal = self._view_renderer.normal(view)
        return normal if as_array else shown_normal(normal)

    def _set_mode(self, mode: str) -> None:
        if mode not in VIEW_MODES:
            raise LevelError(f"Unrecognized ViewMode {mode}; there are {', '.join(VIEW_MODES)}")
        self._view_mode = mode

    # Objects

    def _bind_objects(self, bind: Callable[..., None]) -> None:
        at = "/object/[str]"
        three = "[float] [float] [float]"
        bind("vget /objects", "Get the name of all objects", lambda: " ".join(self.level.actors))
        for named in ("", " [str]"):
            for located in ("", f" {three}"):
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
        bind(f"vset {at}/location {three}", "Set object location [x, y, z]", self._move)
        bind(f"vget {at}/rotation", "Get object rotation [pitch, yaw, roll]", self._rotation)
        bind(f"vset {at}/rotation {three}", "Set object rotation [pitch, yaw, roll]", self._turn)
        bind(f"vget {at}/scale", "Get object scale [x, y, z]", self._scale)
        bind(f"vset {at}/scale {three}", "Set object scale [x, y, z]", self._rescale)
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
            return self._spawn_camera(name, placement.location)
        if asset != "CubeActor" and asset not in ASSETS:
            raise LevelError(f"Can not find a class with name '{asset}'")
        if not name:
            name = self._free_name(asset.replace("/", "_"))
        self.level = self.level.spawned(
            "cube" if asset == "CubeActor" else "thing", asset, name, placement
        )
        return name

    def _free_name(self, stem: str) -> str:
        number = 0
        while f"{stem}_{number}" in self.level.actors:
            number += 1
        return f"{stem}_{number}"

    def _location(self, name: str) -> str:
        return _three(self.level.actor(name).placement.location)

    def _rotation(self, name: str) -> str:
        return _three(self.level.actor(name).placement.rotator_deg)

    def _scale(self, name: str) -> str:
        return _three(self.level.actor(name).placement.scale)

    def _move(self, name: str, x: float, y: float, z: float) -> None:
        self._put(name, location=(x, y, z))

    def _turn(self, name: str, pitch: float, yaw: float, roll: float) -> None:
        self._put(name, rotator_deg=(pitch, yaw, roll))

    def _rescale(self, name: str, x: float, y: float, z: float) -> None:
        if self.level.actor(name).kind == "avatar":
            raise LevelError(f"{name} is an avatar: its size is its subject's")
        self._put(name, scale=(x, y, z))

    def _put(self, name: str, **change: Any) -> None:
        actor = self.level.actor(name)
        if not actor.movable:
            raise LevelError(f"{name} is static")
        self._change(name, placement=replace(actor.placement, **change))

    def _change(self, name: str, **change: Any) -> None:
        self.level = self.level.with_actor(replace(self.level.actor(name), **change))

    def _color(self, name: str) -> str:
        red, green, blue = self.level.actor(name).color
        return f"(R={red},G={green},B={blue},A=255)"

    def _recolor(self, name: str, red: int, green: int, blue: int) -> None:
        if max(red, green, blue) > 255:
            raise LevelError(f"{red} {green} {blue} is no colour: 0-255 each")
        self._change(name, color=(red, green, blue))

    def _destroy(self, name: str) -> None:
        self.level = self.level.without(self.level.actor(name).name)

    def _rename(self, name: str, other: str) -> None:
        actor = self.level.actor(name)
        if other in self.level.actors:
            raise LevelError(
                f"Renaming an object to overwrite an existing object is not allowed: {other}"
            )
        self.level = self.level.without(name).with_actor(replace(actor, name=other))

    def _mobility(self, name: str) -> str:
        return "Movable" if self.level.actor(name).movable else "Static"

    def _class_name(self, name: str) -> str:
        return CLASS_NAMES[self.level.actor(name).kind]

    def _bounds(self, name: str) -> str:
        vertices = _vertices(self.level.actor(name))
        return " ".join(f"{value:.2f}" for value in (*vertices.min(0), *vertices.max(0)))

    def _vertices(self, name: str) -> str:
        vertices = _vertices(self.level.actor(name))
        return "\n".join(f"{x:.5f}     {y:.5f}     {z:.5f}" for x, y, z in vertices)

    def _bones(self, name: str, *which: str) -> str:
        if self.level.actor(name).kind != "avatar":
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
        actor = self.level.avatar(name)
        names, frames = actor.bones()
        if space == "component":
            frames = np.linalg.inv(actor.placement.local2world) @ frames
        locations = axes.to_unreal(frames[:, :3, 3])
        rotators = axes.matrix_rotator(axes.rotations_swapped(frames[:, :3, :3]))
        listed = [
            _bone(bone, location, rotator)
            for bone, location, rotator in zip(names, locations, rotators)
            if chosen is None or bone in chosen
        ]
        return "[" + ",".join(listed) + "]"

    # Actions and the console

    def _bind_rest(self, bind: Callable[..., None]) -> None:
        bind("vset /action/game/pause", "Pause the game: nothing moves by itself here", self._pause)
        bind("vset /action/game/resume", "Resume the game", self._resume)
        bind("vget /action/game/is_paused", "Is the game paused?", self._is_paused)
        bind("vset /action/input/enable", "Enable input: there is none here", lambda: None)
        bind("vset /action/input/disable", "Disable input: there is none here", lambda: None)
        help = "Run a console command: setres WxH sizes camera 0, others change nothing here"
        bind("vcmd [str]", help, self._run)
        for words in range(1, 7):
            bind("vrun" + " [str]" * words, help, self._run)

    def _pause(self) -> None:
        self._paused = True

    def _resume(self) -> None:
        self._paused = False

    def _is_paused(self) -> str:
        return "true" if self._paused else "false"

    def _run(self, *words: str) -> None:
        size = fullmatch(r"setres (\d+)x(\d+)[wf]*", " ".join(words).lower())
        if size:
            self._resize(0, int(size[1]), int(size[2]))

    # The project's own

    def _bind_avatars(self, bind: Callable[..., None]) -> None:
        bind("vget /avatars", "List the avatars as JSON", self._list_avatars)
        bind("vset /avatars/spawn [str] [str]", "Spawn an avatar [asset, name]", self._spawn_avatar)
        bind(
            "vset /avatar/[str]/pose [str]",
            "Set the frames of an avatar's bodies in the world, JSON",
            self._pose,
        )
        bind("vget /avatar/[str]/pose", "Get the frames of an avatar's bodies", self._pose_of)
        bind(
            "vset /avatar/[str]/fingers [str]",
            "Bend an avatar's fingers, JSON of degrees",
            self._bend,
        )
        bind("vget /avatar/[str]/fingers", "Get the bends of an avatar's fingers", self._bends)
        bind("vset /place/[str]/[uint]", "Set the surroundings [place, variant]", self._go)
        bind("vget /place", "Get the surroundings [place, variant]", self._place)
        bind("vset /things [str]", "Replace the movable things, JSON", self._set_things)
        bind("vset /lights [str]", "Replace the lights and the exposure, JSON", self._set_lights)
        bind("vget /project", "What draws, as JSON", self._project)

    def _list_avatars(self) -> str:
        avatars = (a for a in self.level.actors.values() if a.kind == "avatar")
        return _json([{"name": actor.name, "asset": actor.asset} for actor in avatars])

    def _spawn_avatar(self, asset: str, name: str) -> None:
        self.level = self.level.spawned("avatar", asset, name, Placement())

    def _pose(self, name: str, text: str) -> None:
        actor = self.level.avatar(name)
        frames = messages.parse_pose(text)
        bodies = avatar_of(actor.asset).tree.bodies
        if odd := sorted(set(bodies) ^ set(frames)):
            lacking = "lacks" if odd[0] in bodies else "has an unknown"
            raise LevelError(f"the pose {lacking} body {odd[0]}")
        body2world = np.array([frames[body] for body in bodies])
        self.level = self.level.with_actor(actor.posed(body2world))

    def _pose_of(self, name: str) -> str:
        actor = self.level.avatar(name)
        return messages.pose_json(avatar_of(actor.asset).tree.bodies, actor.body2world)

    def _bend(self, name: str, text: str) -> None:
        actor = self.level.avatar(name)
        self.level = self.level.with_actor(actor.holding(messages.parse_fingers(text)))

    def _bends(self, name: str) -> str:
        pose = self.level.avatar(name).pose
        return messages.fingers_json(pose.fingers if pose else None)

    def _go(self, place: str, variant: int) -> None:
        self.level = self.level.with_place(place, variant)

    def _place(self) -> str:
        place = self.level.place
        if place is None:
            raise LevelError("there is no place")
        return place.asset.replace("/", " ")

    def _set_things(self, text: str) -> None:
        self.level = self.level.with_things(messages.parse_things(text))

    def _set_lights(self, text: str) -> None:
        self.level = self.level.lit(*messages.parse_lights(text))

    def _project(self) -> str:
        return _json(
            {
                "name": "spinetrack_synth",
                "version": __version__,
                "hash": file_sha256(fullbody_path()),
                "engine": f"spinetrack-synth {__version__}",
                "plugin": VERSION,
            }
        )


def _three(values: Sequence[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def _json(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"))


def _bone(name: str, location: NDArray[np.float64], rotator_deg: NDArray[np.float64]) -> str:
    keys = ("Pitch", "Yaw", "Roll", "X", "Y", "Z", "ScaleX", "ScaleY", "ScaleZ")
    values = (*rotator_deg, *location, 1.0, 1.0, 1.0)
    listed = ",".join(f'"{key}":{value:.6f}' for key, value in zip(keys, values))
    return f'{{"bone_name":"{name}","transform":{{{listed}}}}}'


def _vertices(actor: Actor) -> NDArray[np.float64]:
    """All vertices (V, 3) of an actor in cm."""
    return np.concatenate([axes.to_unreal(s.vertices_world) for s in actor.surfaces])
