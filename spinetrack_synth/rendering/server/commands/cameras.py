"""Commands of cameras: where they are, what they see, their pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.rendering.server.commands.replies import three
from spinetrack_synth.rendering.server.dispatch import Answer, Bind
from spinetrack_synth.rendering.server.encoding import (
    FORMATS,
    Picture,
    encode,
    shown_depth,
    shown_normal,
)
from spinetrack_synth.rendering.server.folder import Folder
from spinetrack_synth.rendering.server.level import CurrentLevel, Lens, LevelError, Triple
from spinetrack_synth.rendering.server.view_renderer import ViewRenderer

VIEW_MODES: Final = ("lit", "depth", "object_mask", "normal")

LARGEST_SIDE_PX: Final = 8192

CAMERA_CLASS: Final = "FusionCameraActor"


class CameraCommands:
    """Of the cameras of the level; pictures that clients save go below ``folder``."""

    def __init__(self, current: CurrentLevel, view_renderer: ViewRenderer, folder: Folder) -> None:
        self._current = current
        self._view_renderer = view_renderer
        self._folder = folder
        self._view_mode = "lit"

    def bind(self, bind: Bind) -> None:
        """Add the commands of cameras."""
        bind("vget /cameras", "List all cameras", self._list)
        bind("vset /cameras/spawn", "Spawn a new camera", self.spawn)
        at = "/camera/[uint]"
        xyz = "[float] [float] [float]"
        bind(f"vget {at}/location", "Get camera location [x, y, z]", self._location)
        bind(f"vset {at}/location {xyz}", "Set camera location [x, y, z]", self._move)
        bind(f"vget {at}/rotation", "Get camera rotation [pitch, yaw, roll]", self._rotation)
        bind(
            f"vset {at}/rotation {xyz}",
            "Set camera rotation [pitch, yaw, roll]",
            self._turn,
        )
        bind(f"vget {at}/pose", "Get camera location and rotation", self._pose)
        bind(
            f"vset {at}/pose {xyz} {xyz}",
            "Set camera location [x, y, z] and rotation [pitch, yaw, roll]",
            self._put,
        )
        bind(f"vget {at}/fov", "Get field of view across the larger side", self._fov)
        bind(f"vset {at}/fov [float]", "Set field of view across the larger side", self._zoom)
        bind(f"vget {at}/size", "Get camera film size [width, height]", self._size)
        bind(f"vset {at}/size [uint] [uint]", "Set camera film size", self.resize)
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

    def _list(self) -> str:
        return " ".join(lens.name for lens in self._current.level.cameras)

    def spawn(self, name: str = "", location: Triple = (0.0, 0.0, 0.0)) -> str:
        """Add a camera at a location cm; returns its name."""
        cameras = self._current.level.cameras
        lens = Lens(name or f"{CAMERA_CLASS}_{len(cameras)}", location, size=cameras[0].size)
        self._current.level = replace(self._current.level, cameras=(*cameras, lens))
        return lens.name

    def _location(self, camera: int) -> str:
        return three(self._current.level.lens(camera).location)

    def _rotation(self, camera: int) -> str:
        return three(self._current.level.lens(camera).rotator_deg)

    def _move(self, camera: int, x: float, y: float, z: float) -> None:
        self._set_lens(camera, location=(x, y, z))

    def _turn(self, camera: int, pitch: float, yaw: float, roll: float) -> None:
        self._set_lens(camera, rotator_deg=(pitch, yaw, roll))

    def _pose(self, camera: int) -> str:
        return f"{self._location(camera)} {self._rotation(camera)}"

    def _put(self, camera: int, *values: float) -> None:
        self._set_lens(camera, location=values[:3], rotator_deg=values[3:])

    def _fov(self, camera: int) -> str:
        return f"{self._current.level.lens(camera).fov_deg:f}"

    def _zoom(self, camera: int, fov_deg: float) -> None:
        if not 1 <= fov_deg <= 170:
            raise LevelError(f"a field of view of {fov_deg:g} degrees is not in 1-170")
        self._set_lens(camera, fov_deg=fov_deg)

    def _size(self, camera: int) -> str:
        width, height = self._current.level.lens(camera).size
        return f"{width} {height}"

    def resize(self, camera: int, width: int, height: int) -> None:
        """Set the size of a camera's pictures, px. Raises LevelError where it cannot be."""
        if not (1 <= width <= LARGEST_SIDE_PX and 1 <= height <= LARGEST_SIDE_PX):
            raise LevelError(f"a size of {width} x {height} is not in 1-{LARGEST_SIDE_PX}")
        self._set_lens(camera, size=(width, height))

    def warm_up(self) -> None:
        """Make the pictures of camera 0, so that no client waits for kernels to be compiled."""
        for mode in VIEW_MODES:
            self._drawn(0, mode, as_array=True)

    def _set_lens(self, camera: int, **change: Any) -> None:
        level = self._current.level
        self._current.level = level.with_lens(camera, replace(level.lens(camera), **change))

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

    def _drawn(self, camera: int, mode: str, *, as_array: bool) -> Picture:
        view = self._current.level.view(camera)
        if mode == "lit":
            return self._view_renderer.lit(view)
        if mode == "object_mask":
            colors = {name: actor.color for name, actor in self._current.level.actors.items()}
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
