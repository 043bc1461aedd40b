"""The embedded renderer: Mitsuba in this process, on the fastest variant that works here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.camera import Camera
from spinetrack_synth.rendering import compositing, film, motion_blur, sensor, variants
from spinetrack_synth.rendering.packing import owners
from spinetrack_synth.rendering.protocol import Quality
from spinetrack_synth.shot import Frame, Hits, Shot

if TYPE_CHECKING:
    from spinetrack_synth.rendering.optix import OptixDenoiser

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Effort:
    """Samples a pixel, surfaces a path lights before it ends, how thorough the denoiser is."""

    spp: int
    depth: int
    denoiser: Literal["fast", "balanced", "high"]


EFFORT: Final = {
    Quality.DRAFT: Effort(spp=2, depth=2, denoiser="fast"),
    Quality.NORMAL: Effort(spp=4, depth=4, denoiser="fast"),
    Quality.FINAL: Effort(spp=32, depth=6, denoiser="high"),
}


AHEAD: Final = 2
"""Shots that wait, posed, while a GPU draws: one that comes next, and one more where posing takes
longer now and then."""


class Stage(Protocol):
    """A shot held ready for drawing by one family of Mitsuba variants."""

    def load(self, shot: Shot) -> None:
        """Put a shot on the stage."""
        ...

    def light(
        self, camera: Camera, *, spp: int, depth: int, seed: int
    ) -> tuple[Image, Image, Image]:
        """Noisy radiance, albedo and world normal, each (H, W, 3)."""
        ...

    def coverage(self, camera: Camera, *, spp: int, seed: int) -> Image:
        """Part (H, W) of each pixel's samples that meet anything but the first surface, as `light`
        samples them."""
        ...

    def scan(self, camera: Camera) -> tuple[Hits, Image]:
        """Surfaces and their faces, and depth (H, W) m at pixel centres."""
        ...

    def normals(self, camera: Camera) -> Image:
        """World normals (H, W, 3) towards the camera at pixel centres, zero for none."""
        ...


class EmbeddedRenderer:
    """Draws shots with Mitsuba; ``variant`` is its variant in use.

    Open Image Denoise takes the noise out, on a GPU OptiX where that works.
    """

    lanes: Final = 1

    def __init__(self, variant: str | None = None) -> None:
        self.variant = variants.choose(variant)
        self.ahead = AHEAD if self.variant.startswith("cuda") else 0
        self._use_variant()
        self._stage: Stage | None = _stage(self.variant)
        self._optix = _optix(self.variant)
        self.provenance: Mapping[str, str] = {"denoiser": variants.OPTIX} if self._optix else {}
        self._shot: Shot | None = None

    def render(self, shot: Shot, *, quality: Quality = Quality.NORMAL) -> Frame:
        """Draw a shot. Raises RuntimeError after ``close``."""
        effort = EFFORT[quality]
        bare = None if shot.backdrop is None else self._bare_ground(shot, effort)
        stage = self._staged(shot)
        hits, depth_m = stage.scan(shot.camera)
        # Nothing (-1) takes the added last entry.
        ids = np.append(owners(shot), np.uint8(0))[hits.surface]
        radiance, albedo, normal = stage.light(
            shot.camera,
            spp=effort.spp,
            depth=effort.depth,
            seed=_seed(shot),
        )
        clean = self._denoised(radiance, albedo, normal, shot.camera, effort)
        gains = shot.exposure * film.meter(clean, albedo, ids)
        if shot.backdrop is not None and bare is not None:
            if shot.backdrop.exposed:
                gains = np.full(3, shot.exposure, dtype=np.float32)
            covered = stage.coverage(shot.camera, spp=effort.spp, seed=_seed(shot))
            clean = compositing.compose(
                clean, bare, covered, hits.surface == 0, shot.backdrop.radiance
            )
        shutter_s = 0.0
        if shot.shutter is not None:
            ways = motion_blur.ways_px(shot, hits, depth_m)
            clean = motion_blur.blurred(clean * gains, ways, depth_m)
            gains, shutter_s = np.ones(3, dtype=np.float32), shot.shutter.open_s
        if shot.film is not None:
            rgb = film.develop(sensor.record(clean * gains, shot), 1.0)
        else:
            rgb = film.develop(clean, gains)
        return Frame(rgb=rgb, ids=ids, depth_m=depth_m, hits=hits, shutter_s=shutter_s)

    def _bare_ground(self, shot: Shot, effort: Effort) -> Image:
        """The light (H, W, 3) of the ground before a backdrop, with nobody and nothing on it."""
        empty = replace(shot, people=(), surroundings=shot.surroundings[:1], things=())
        images = self._staged(empty).light(shot.camera, spp=effort.spp, depth=1, seed=_seed(shot))
        return self._denoised(*images, shot.camera, effort)

    def _denoised(
        self, radiance: Image, albedo: Image, normal: Image, camera: Camera, effort: Effort
    ) -> Image:
        if self._optix is not None:
            return self._optix.denoise(radiance, albedo, normal, camera)
        return film.denoise(
            radiance, albedo, normal, effort.denoiser, clean_guides=camera.aperture_m == 0
        )

    def scan(self, shot: Shot) -> tuple[NDArray[np.int32], Image]:
        """Without light: surface (H, W) and depth (H, W) m at pixel centres.

        Surfaces are numbered as ``packing.owners`` lists them, -1 where nothing is.
        """
        hits, depth_m = self._staged(shot).scan(shot.camera)
        return hits.surface, depth_m

    def normals(self, shot: Shot) -> Image:
        """World normals (H, W, 3) towards the camera at pixel centres, zero where nothing is."""
        return self._staged(shot).normals(shot.camera)

    def close(self) -> None:
        """Free the scene and its textures."""
        self._stage = self._shot = self._optix = None

    def _staged(self, shot: Shot) -> Stage:
        """The stage with a shot on it; what several shots show alike is put there once."""
        if self._stage is None:
            raise RuntimeError("this renderer is closed")
        self._use_variant()
        if self._shot is None or not _same_content(shot, self._shot):
            self._shot = None  # should loading fail, the stage holds no shot
            self._stage.load(shot)
            self._shot = shot
        return self._stage

    def _use_variant(self) -> None:
        import mitsuba as mi

        mi.set_variant(self.variant)  # the whole process has one; another renderer may differ


def _same_content(one: Shot, other: Shot) -> bool:
    """Whether two shots differ in the camera at most; how light is sampled is centred on people,
    where there are none on what the camera sees."""
    return one is other or bool(
        one.people
        and one.people is other.people
        and one.surroundings is other.surroundings
        and one.lights is other.lights
    )


def _stage(variant: str) -> Stage:
    if variant.startswith("scalar"):
        from spinetrack_synth.rendering.scalar import ScalarStage

        return ScalarStage()
    from spinetrack_synth.rendering.jit import JitStage

    return JitStage()


def _optix(variant: str) -> OptixDenoiser | None:
    if not variants.denoises_with_optix(variant):
        return None
    from spinetrack_synth.rendering.optix import OptixDenoiser

    return OptixDenoiser()


def _seed(shot: Shot) -> int:
    return int(np.random.SeedSequence([shot.seed, shot.index]).generate_state(1)[0])
