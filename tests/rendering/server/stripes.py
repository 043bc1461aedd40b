"""The server with a renderer of stripes, as a process of its own: all of the wire, no light.

Every surface of a shot is a stripe across the picture, in their order, then one of nothing.
"""

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.rendering import Quality
from spinetrack_synth.rendering.server.folder import Folder
from spinetrack_synth.rendering.server.level import Lens, Level
from spinetrack_synth.rendering.server.listening import Doors
from spinetrack_synth.rendering.server.serving import serve
from spinetrack_synth.shot import Frame, Shot

DEPTH_M = 3.14159


class StripeRenderer:
    """Draws shots as stripes."""

    def scan(self, shot: Shot) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        width, height = shot.camera.width, shot.camera.height
        count = len(shot.surroundings) + sum(len(p.surfaces) for p in shot.people)
        stripe = np.arange(width) * (count + 1) // width
        surface = np.where(stripe < count, stripe, -1).astype(np.int32)
        depth_m = np.where(surface >= 0, DEPTH_M, np.inf).astype(np.float32)
        return np.tile(surface, (height, 1)), np.tile(depth_m, (height, 1))

    def render(self, shot: Shot, *, quality: Quality) -> Frame:
        surface, depth_m = self.scan(shot)
        grey = (20 * (surface + 1)).astype(np.uint8)
        rgb = np.stack([grey, grey + 1, grey + 2], axis=-1)
        return Frame(rgb=rgb, ids=np.zeros_like(grey), depth_m=depth_m)

    def normals(self, shot: Shot) -> NDArray[np.float32]:
        surface, _ = self.scan(shot)
        return np.where(surface[..., None] >= 0, [0.0, 1.0, 0.0], 0.0).astype(np.float32)


def main(pipe: Connection) -> None:
    """Serves at a free port of which it tells."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    doors = Doors("127.0.0.1", 0, None)
    try:
        serve(
            doors,
            Level(cameras=(Lens(size=(60, 40)),)),
            StripeRenderer(),
            quality=Quality.DRAFT,
            folder=Folder(Path.cwd()),
            ready=lambda: pipe.send(doors.port),
        )
    finally:
        doors.close()
