"""Which lens and which film a shot is taken with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from spinetrack_synth.camera import Camera
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.scenes.description import NONE, CameraRules, FilmRules, Range, Scene
from spinetrack_synth.scenes.lighting import draw
from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.shot import Film, PosedPerson

FILM_WIDTH_MM: Final = 36.0
"""Of the longer side of a picture, for focal lengths in millimetres."""

_STREAM: Final = 0x0971C


@dataclass(frozen=True)
class Lens:
    """A lens before it has a focal length: ``distortion`` with half the picture's diagonal as unit
    of radius, ``f_number`` None for a pinhole."""

    distortion: Distortion | None = None
    f_number: float | None = None

    def on(self, camera: Camera) -> Camera:
        """The camera with this lens's distortion, at its own focal length."""
        if self.distortion is None:
            return camera
        unit = float(np.hypot(camera.width, camera.height) / 2 / camera.K[0, 0])
        k1, k2, p1, p2, k3 = self.distortion.coefficients
        bent = Distortion(k1 / unit**2, k2 / unit**4, p1 / unit, p2 / unit, k3 / unit**6)
        return replace(camera, distortion=bent)

    def focused(self, camera: Camera, person: PosedPerson) -> Camera:
        """The camera with this lens's aperture, sharp where most of a person is."""
        if self.f_number is None:
            return camera
        focal_mm = float(camera.K[0, 0]) * FILM_WIDTH_MM / max(camera.width, camera.height)
        depth_m = float(np.median(camera.to_camera(person.skin_world)[:, 2]))
        return replace(camera, aperture_m=focal_mm / 1000 / self.f_number, focus_m=depth_m)


def draw_optics(
    scene: Scene, seed: int, index: int, size: tuple[int, int]
) -> tuple[tuple[int, int], Lens, Film | None]:
    """The size (width, height) px, lens and film of a shot, from a stream of random numbers of
    their own: they change nobody's pose."""
    rng = np.random.default_rng([seed, index, _STREAM])
    if rng.random() < scene.camera.portrait:
        size = size[1], size[0]
    return size, draw_lens(scene.camera, rng), draw_film(scene.film, rng)


def draw_lens(rules: CameraRules, rng: Rng) -> Lens:
    """A lens by the rules; as many numbers are drawn whatever they say."""
    bends = rules.distortion
    ranges = (bends.k1, bends.k2, bends.p1, bends.p2, bends.k3)
    distortion = Distortion(*(draw(rng, values) for values in ranges))
    f_number = draw_evenly(rules.f_number, rng)
    return Lens(
        distortion if any(distortion.coefficients) else None,
        f_number if rules.f_number != NONE else None,
    )


def draw_film(rules: FilmRules, rng: Rng) -> Film | None:
    """A film by the rules; None where they ask for nothing."""
    iso = draw_evenly(rules.iso, rng)
    temperature, tint = draw(rng, rules.temperature_stops), draw(rng, rules.tint_stops)
    vignetting, quality = draw(rng, rules.vignetting_stops), draw(rng, rules.jpeg_quality)
    if rules == FilmRules():
        return None
    return Film(iso, temperature, tint, vignetting, round(quality))


def draw_evenly(values: Range, rng: Rng) -> float:
    """A value of a range, every doubling as likely; 0 for none."""
    part = rng.random()
    return values.low * (values.high / values.low) ** part if values.low > 0 else 0.0
