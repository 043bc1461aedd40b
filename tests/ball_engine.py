"""A small engine that speaks UnrealCV's protocol and draws people made of balls.

It knows the commands that the driver needs and no others. What is behind them is exact, so what a
driver makes of it can be held against the stand-in renderer.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from fakes import BallRenderer, ball_shot, model, standing_person
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.camera import Camera
from spinetrack_synth.rendering.protocol import EngineSettings
from spinetrack_synth.rendering.unreal import axes, calibration, messages
from spinetrack_synth.rendering.unreal.axes import UnrealCamera
from spinetrack_synth.rendering.unreal.renderer import UnrealRenderer, open_engines
from spinetrack_synth.rendering.unreal.stage import Patience
from spinetrack_synth.shot import Frame, PosedPerson

MAGIC = 0x9E2B83C1

PATIENT = Patience(hello_s=60.0, reply_s=60.0, start_s=60.0)
"""For a driver that is to wait for larger pictures on a busy machine."""

HASTY = Patience(hello_s=2.0, reply_s=2.0, megapixel_s=0.0, start_s=30.0)
"""For a driver of an engine that answers at once."""

TEMPLATES = """
vget /unrealcv/commands
vget /unrealcv/version
vget /cameras
vset /cameras/spawn
vset /camera/[uint]/location [float] [float] [float]
vget /camera/[uint]/location
vset /camera/[uint]/rotation [float] [float] [float]
vget /camera/[uint]/rotation
vset /camera/[uint]/fov [float]
vset /camera/[uint]/size [uint] [uint]
vget /camera/[uint]/lit [str]
vget /camera/[uint]/object_mask [str]
vget /camera/[uint]/depth [str]
vset /camera/[uint]/motion_blur [float] [float] [float] [float]
vget /objects
vset /objects/spawn_cube [str]
vset /object/[str]/location [float] [float] [float]
vset /object/[str]/color [uint] [uint] [uint]
vget /object/[str]/color
vset /object/[str]/destroy
vset /action/game/pause
vget /avatars
vset /avatars/spawn [str] [str]
vset /avatar/[str]/pose [str]
vget /avatar/[str]/pose
vset /place/[str]/[uint]
vget /place
vset /things [str]
vset /lights [str]
vget /project
""".split("\n")


@dataclass
class Actor:
    """What stands in the level: a ball person with an asset, or the cube."""

    asset: str
    color: tuple[int, int, int]
    frames: NDArray[np.float64] | None = None
    location: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))


def open_hastily(*ports: int, **settings: Any) -> UnrealRenderer:
    """A driver of the engines at these ports."""
    return open_engines(EngineSettings(ports=ports, **settings), HASTY)


def open_patiently(*ports: int) -> UnrealRenderer:
    """A driver of engines that take their time."""
    return open_engines(EngineSettings(ports=ports), PATIENT)


def frame(payload: bytes) -> bytes:
    return struct.pack("<II", MAGIC, len(payload)) + payload


def read_frame(stream: io.BufferedIOBase) -> bytes | None:
    head = stream.read(8)
    if len(head) < 8:
        return None
    _, size = struct.unpack("<II", head)
    payload = stream.read(size)
    return payload if len(payload) == size else None


class BallEngine:
    """Serves one client at a time at ``port`` until stopped; remembers the commands it got."""

    def __init__(self, *, port: int = 0, engine: str = "spinetrack-synth test") -> None:
        self.commands: list[str] = []
        self.templates = [line for line in TEMPLATES if line]
        self.project = {"name": "Balls", "version": "1", "hash": "b0", "engine": engine,
                        "plugin": "1.1.2"}  # fmt: skip
        self.depth_per_cm = 1.0
        self.fov_of_width = False
        self.actors: dict[str, Actor] = {}
        self.place = "void 0"
        self.wallpaper: int | None = None
        self.cameras = 1
        self.camera = UnrealCamera(np.zeros(3), np.zeros(3), 90.0, 640, 480)
        self.spoil: Callable[[str, bytes], bytes] = lambda command, reply: reply
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._stopped = False
        self._drawn: Any = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> BallEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up on everybody, as a process that is killed."""
        self._stopped = True
        for end in (self._client, self._listener):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stopped:
                self._client, _ = self._listener.accept()
                with contextlib.suppress(OSError), self._client as client:
                    client.sendall(frame(b"connected to Balls"))
                    stream = client.makefile("rb")
                    while (payload := read_frame(stream)) is not None:
                        number, _, command = payload.partition(b":")
                        reply = self.answer(command.decode())
                        client.sendall(frame(number + b":" + reply))

    def answer(self, command: str) -> bytes:
        self.commands.append(command)
        if not any(
            re.fullmatch(re.sub(r"\\\[[^\]]*\\\]", r"\\S+", re.escape(t)), command)
            for t in self.templates
        ):
            return b"error No handler found for URI '%s'" % command.encode()
        if not command.startswith("vget"):
            self._drawn = None
        try:
            reply = self._answer(command)
        except KeyError:
            reply = "error Cannot find object"
        return self.spoil(command, reply.encode() if isinstance(reply, str) else reply)

    def _answer(self, command: str) -> str | bytes:
        verb, uri, *values = command.split(" ")
        match [verb, *uri.strip("/").split("/"), *values]:
            case ["vget", "unrealcv", "commands"]:
                return "\n".join(sorted(self.templates))
            case ["vget", "unrealcv", "version"]:
                return "1.1.2"
            case ["vget", "project"]:
                return json.dumps(self.project)
            case ["vget", "cameras"]:
                return " ".join(f"camera_{n}" for n in range(self.cameras))
            case ["vset", "cameras", "spawn"]:
                self.cameras += 1
                return f"camera_{self.cameras - 1}"
            case ["vset", "camera", _, "location" | "rotation" as what, x, y, z]:
                values_there = np.array([float(x), float(y), float(z)])
                name = {"location": "location", "rotation": "rotator_deg"}[what]
                self.camera = replace(self.camera, **{name: values_there})
            case ["vget", "camera", _, "location"]:
                return "{:.3f} {:.3f} {:.3f}".format(*self.camera.location)
            case ["vget", "camera", _, "rotation"]:
                return "{:.3f} {:.3f} {:.3f}".format(*self.camera.rotator_deg)
            case ["vset", "camera", _, "fov", value]:
                self.camera = replace(self.camera, fov_deg=float(value))
            case ["vset", "camera", _, "size", width, height]:
                size = {"width": int(width), "height": int(height)}
                self.camera = replace(self.camera, **size)
            case ["vget", "camera", _, "lit" | "object_mask" | "depth" as view, _]:
                return self._view(view)
            case ["vget", "objects"]:
                return " ".join(self.actors) + " "
            case ["vset", "objects", "spawn_cube", name]:
                self.actors[name] = Actor("cube", (5, 5, 5))
            case ["vset", "object", name, "location", x, y, z]:
                self.actors[name].location = np.array([float(x), float(y), float(z)])
            case ["vset", "object", name, "color", r, g, b]:
                self.actors[name].color = (int(r), int(g), int(b))
            case ["vget", "object", name, "color"]:
                return "(R={},G={},B={},A=255)".format(*self.actors[name].color)
            case ["vset", "object", name, "destroy"]:
                del self.actors[name]
            case ["vget", "avatars"]:
                people = [(n, a) for n, a in self.actors.items() if a.asset != "cube"]
                return json.dumps([{"name": n, "asset": a.asset} for n, a in people])
            case ["vset", "avatars", "spawn", asset, name]:
                self.actors[name] = Actor(asset, (0, 0, 0))
            case ["vset", "avatar", name, "pose", text]:
                frames = messages.parse_pose(text)
                self.actors[name].frames = np.array([frames[body] for body in model().bodies])
            case ["vget", "avatar", name, "pose"]:
                return messages.pose_json(model().bodies, self.actors[name].frames)
            case ["vset", "place", name, variant]:
                self.place = f"{name} {variant}"
            case ["vget", "place"]:
                return self.place
        return "ok"

    def _people(self) -> Iterator[tuple[PosedPerson, tuple[int, int, int]]]:
        for actor in self.actors.values():
            if actor.asset != "cube" and actor.frames is not None:
                yield standing_person(actor.frames, actor.asset), actor.color

    def _view(self, view: str) -> bytes:
        if self._drawn is None:
            self._drawn = self._draw()
        rgb, mask, depth_m = self._drawn
        if view == "depth":
            depth_cm = np.minimum(depth_m * np.float32(100), 65504).astype(np.float16)
            return _npy(depth_cm.astype(np.float32) * np.float32(self.depth_per_cm))
        return png(rgb if view == "lit" else mask)

    def _draw(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
        camera = self.camera
        if self.fov_of_width:
            spread = np.tan(np.radians(camera.fov_deg) / 2)
            spread *= max(camera.width, camera.height) / camera.width
            camera = replace(camera, fov_deg=float(np.degrees(2 * np.arctan(spread))))
        pinhole = axes.camera_to_world(camera)
        people = list(self._people())
        if people and camera.location[2] < calibration.HEIGHT_CM / 2:
            drawn = _drawn(pinhole, tuple(person for person, _ in people))
            rgb, ids, depth_m = drawn.rgb, drawn.ids, drawn.depth_m
            if self.wallpaper is not None:
                rgb = papered(rgb, ids, self.wallpaper)
        else:  # nobody is as high as the calibration's camera
            rgb = np.full((camera.height, camera.width, 3), 60, np.uint8)
            ids = np.zeros(rgb.shape[:2], np.uint8)
            depth_m = np.full(rgb.shape[:2], np.inf, np.float32)
        mask = np.array([(0, 0, 0), *(color for _, color in people)], np.uint8)[ids]
        for cube in (a for a in self.actors.values() if a.asset == "cube"):
            cube_m = _cube_depth(pinhole, axes.to_world(cube.location))
            nearer = cube_m < depth_m
            depth_m = np.where(nearer, cube_m, depth_m)
            mask[nearer] = cube.color
        return rgb, mask, depth_m


_LATELY: dict[bytes, Frame] = {}


def _drawn(camera: Camera, people: tuple[PosedPerson, ...]) -> Frame:
    """Drawn once, however often tests ask for the same shot."""
    frames = [person.body2world for person in people]
    size = np.array([camera.width, camera.height], float)
    key = b"".join(a.tobytes() for a in (camera.K, camera.world2cam, size, *frames))
    if key not in _LATELY:
        if len(_LATELY) > 50:
            _LATELY.clear()
        _LATELY[key] = BallRenderer().render(replace(ball_shot(*people), camera=camera))
    return _LATELY[key]


def _cube_depth(camera, middle: NDArray[np.float64]) -> NDArray[np.float32]:
    """Depth (H, W) of a cube of 1 m along the axes, inf beside it."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(camera.K).T
    rays = rays @ camera.world2cam[:3, :3]  # of depth 1
    with np.errstate(divide="ignore"):
        ends = (middle + np.array([[-0.5], [0.5]]) - camera.position_world)[:, None, None] / rays
    near, far = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
    return np.where((near < far) & (near > 0), near, np.inf).astype(np.float32)


def papered(rgb: NDArray[np.uint8], ids: NDArray[np.uint8], pattern: int) -> NDArray[np.uint8]:
    """A picture with boxes of all greys on the wall behind its people: real places are not
    plain."""
    rng = np.random.default_rng(pattern)
    height, width = ids.shape
    wall = np.full(ids.shape, 180, np.uint8)
    for _ in range(60):
        y, x = rng.integers(0, height), rng.integers(0, width)
        h, w = rng.integers(height // 12, height // 4, 2)
        wall[y : y + h, x : x + w] = rng.integers(20, 240)
    return np.where((ids == 0)[..., None], wall[..., None], rgb)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """As UnrealCV sends it: with an alpha channel."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGBA").save(buffer, "PNG")
    return buffer.getvalue()


def _npy(array: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
