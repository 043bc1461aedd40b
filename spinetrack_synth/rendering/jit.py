"""Drawing with the compiled variants (cuda, llvm): one scene that stays, refilled for every shot.

The variant must be set before the import.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Final

import drjit as dr
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.camera import Camera
from spinetrack_synth.rendering import tracing
from spinetrack_synth.rendering.emitters import LightTable
from spinetrack_synth.rendering.lights import MAP_HEIGHT, distant_light
from spinetrack_synth.rendering.packing import area_lights, pack
from spinetrack_synth.rendering.surfaces import SurfaceTable
from spinetrack_synth.shot import Hits, Shot

MOST_PATHS: Final = 1 << 22
"""Camera paths followed at once; more samples are drawn in several passes (bounds memory)."""


class JitStage:
    """Holds the scene of the present shot on the device."""

    def __init__(self) -> None:
        mesh = mi.Mesh("everything", 3, 1, has_vertex_normals=True, has_vertex_texcoords=True)
        blank = mi.Bitmap(np.ones((MAP_HEIGHT, 2 * MAP_HEIGHT, 3), dtype=np.float32))
        scene = mi.load_dict(
            {
                "type": "scene",
                "group": {"type": "shapegroup", "everything": mesh},
                "instance": {"type": "instance", "group": {"type": "ref", "id": "group"}},
                "around": {"type": "envmap", "bitmap": blank},
            }
        )
        self._parameters = mi.traverse(scene)
        self._world = tracing.World(scene, mesh, SurfaceTable(), LightTable(scene.environment()))

    def load(self, shot: Shot) -> None:
        """Put a shot on the stage."""
        packed = pack(shot)
        self._world.surfaces.load(packed)
        counts = np.bincount(packed.face_surface, minlength=len(packed.keys))
        self._first_face = np.concatenate([np.cumsum(counts) - counts, [0]])  # -1: nothing
        parameters = self._parameters
        parameters["group.everything.vertex_positions"] = packed.vertices.ravel()
        parameters["group.everything.vertex_normals"] = packed.normals.ravel()
        parameters["group.everything.vertex_texcoords"] = packed.uv.ravel()
        parameters["group.everything.faces"] = packed.faces.ravel()
        distant = distant_light(shot.lights)
        # Mitsuba keeps one more column on either side, to interpolate across the seam.
        padded = np.pad(distant.radiance, ((0, 0), (1, 1), (0, 0)), mode="wrap")
        parameters["around.data"] = mi.TensorXf(padded)
        parameters.update()
        self._world.lights.load(distant, area_lights(shot), _middle(shot))

    def light(
        self, camera: Camera, *, spp: int, depth: int, seed: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Noisy radiance, albedo and world normal, each (H, W, 3)."""
        view = tracing.View.of(camera)
        pixels = camera.width * camera.height
        per_pass, passes = _passes(spp, pixels)
        total: Any = None
        for number in range(passes):
            images = tracing.trace(
                self._world,
                view,
                pixels,
                spp=per_pass,
                depth=depth,
                seed=_hash(seed, number),
            )
            total = images if total is None else [a + b for a, b in zip(total, images)]
            dr.eval(total)
        _wait()
        shape = (camera.height, camera.width, 3)
        radiance, albedo, normal = (
            np.array(dr.ravel(image * (1 / passes))).reshape(shape) for image in total
        )
        return radiance, albedo, normal

    def coverage(self, camera: Camera, *, spp: int, seed: int) -> NDArray[np.float32]:
        """Part (H, W) of each pixel's samples that meet anything but the first surface."""
        view, pixels = tracing.View.of(camera), camera.width * camera.height
        per_pass, passes = _passes(spp, pixels)
        total = np.zeros(pixels, dtype=np.float32)
        for number in range(passes):
            total += np.array(
                tracing.coverage(self._world, view, pixels, spp=per_pass, seed=_hash(seed, number))
            )
        return (total / np.float32(passes)).reshape(camera.height, camera.width)

    def scan(self, camera: Camera) -> tuple[Hits, NDArray[np.float32]]:
        """Surfaces and their faces, and depth (H, W) m at pixel centres."""
        depth, seen, triangle = self._scanned(camera)
        shape = (camera.height, camera.width)
        surface = np.array(seen).astype(np.int32).reshape(shape) - 1
        face = np.array(triangle).astype(np.int32).reshape(shape) - self._first_face[surface]
        return Hits(surface, face.astype(np.int32)), np.array(depth).reshape(shape)

    def normals(self, camera: Camera) -> NDArray[np.float32]:
        """World normals (H, W, 3) at pixel centres."""
        depth, _, _ = self._scanned(camera)
        view = tracing.View.of(camera)
        normal = tracing.normals(self._world, view, camera.width * camera.height, depth)
        return np.array(dr.ravel(normal)).reshape(camera.height, camera.width, 3)

    def _scanned(self, camera: Camera) -> tuple[Any, Any, Any]:
        view = tracing.View.of(camera)
        depth, surface, triangle = tracing.scan(self._world, view, camera.width * camera.height)
        dr.eval(depth, surface, triangle)
        _wait()
        return depth, surface, triangle


def _wait() -> None:
    """Wait for what has been sent to the device. Reading an array waits too, but whether that lets
    other threads of Python run meanwhile is known of the CPU alone."""
    dr.sync_thread()


def _middle(shot: Shot) -> NDArray[np.float64]:
    """Where the people are, or what the camera looks at, (3,) m."""
    if shot.people:
        return np.asarray(
            np.mean([person.skin_world.mean(axis=0) for person in shot.people], axis=0)
        )
    return shot.camera.position_world + 3 * shot.camera.world2cam[2, :3]


def _passes(spp: int, pixels: int) -> tuple[int, int]:
    """Samples a pixel of each pass, and the number of passes."""
    passes = ceil(spp * pixels / MOST_PATHS)
    return ceil(spp / passes), passes


def _hash(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
