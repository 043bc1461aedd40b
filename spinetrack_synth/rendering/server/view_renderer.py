"""Renders of a view, drawn once and kept for the next request: lit, mask, depth, normals.

Colours are RGBA, depth is planar in cm with the precision of float16, normals are Unreal's axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.rendering.protocol import Quality
from spinetrack_synth.rendering.server.encoding import opaque
from spinetrack_synth.rendering.server.level import Color, Staged, View
from spinetrack_synth.rendering.unreal import axes
from spinetrack_synth.shot import Frame, Shot

FARTHEST_CM: Final = 65504.0
"""Greatest number of float16: the depth where nothing is."""


class Renderer(Protocol):
    """What of the embedded renderer the server needs."""

    def render(self, shot: Shot, *, quality: Quality) -> Frame:
        """The picture of a shot."""
        ...

    def scan(self, shot: Shot) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Surface (H, W), -1 for none, and depth (H, W) m at pixel centres."""
        ...

    def normals(self, shot: Shot) -> NDArray[np.float32]:
        """World normals (H, W, 3) at pixel centres, zero for none."""
        ...


class ViewRenderer:
    """Makes pictures of views; what was made of the last view is kept."""

    def __init__(self, renderer: Renderer, quality: Quality = Quality.NORMAL) -> None:
        self._renderer = renderer
        self._quality = quality
        self._view: View | None = None
        self._staged: Staged
        self._made: dict[str, NDArray[Any]] = {}

    def lit(self, view: View) -> NDArray[np.uint8]:
        """The picture in its light, (H, W, 4)."""
        staged = self._stage(view)
        if "lit" not in self._made:
            frame = self._renderer.render(staged.shot, quality=self._quality)
            self._made["lit"] = opaque(frame.rgb)
        return self._made["lit"]

    def object_mask(self, view: View, colors: Mapping[str, Color]) -> NDArray[np.uint8]:
        """Each actor in its colour, (H, W, 4); black where there is none."""
        surface, _ = self._scan(view)
        table = np.zeros((int(surface.max(initial=0)) + 2, 3), dtype=np.uint8)
        for number, name in enumerate(self._staged.surface_names[: len(table) - 1]):
            table[number] = colors.get(name, (0, 0, 0))
        return opaque(table[surface])  # -1, nothing, takes the last row, which stays black

    def depth(self, view: View) -> NDArray[np.float32]:
        """Depth along the optical axis (H, W) cm, as float16 can tell it."""
        _, depth_m = self._scan(view)
        depth_cm: NDArray[np.float32] = np.minimum(depth_m * axes.CM_PER_M, FARTHEST_CM)
        return depth_cm.astype(np.float16).astype(np.float32)

    def normal(self, view: View) -> NDArray[np.float32]:
        """Unit normals (H, W, 3) in Unreal's world axes; zero where nothing is."""
        staged = self._stage(view)
        if "normal" not in self._made:
            normals = axes.axes_swapped(self._renderer.normals(staged.shot))
            self._made["normal"] = normals.astype(np.float32)
        return self._made["normal"]

    def _scan(self, view: View) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        staged = self._stage(view)
        if "depth" not in self._made:
            self._made["surface"], self._made["depth"] = self._renderer.scan(staged.shot)
        return self._made["surface"], self._made["depth"]

    def _stage(self, view: View) -> Staged:
        if view != self._view:
            self._view, self._made = None, {}
            self._staged = view.staged()
            self._view = view
        return self._staged
