"""The lights of a shot on the device: picking a direction to light, and the pdf of that pick.

Three kinds share the samples in proportion to what each gives the people: the map of the
surroundings, the sun's disc, and lamps (rectangles). The variant must be set before the import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import drjit as dr
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.rendering.film import LUMINANCE
from spinetrack_synth.rendering.lights import SUN_RADIUS_RAD, Distant
from spinetrack_synth.shot import AreaLight

LEAST_SHARE: Final = 0.1
"""A light that is there gets at least this part of the samples: the estimate knows no walls."""

FEW_LAMPS: Final = 16
"""Rows of the table of lamps where a shot has no more than that."""

SUN_CHORD: Final = float(2 * (1 - np.cos(SUN_RADIUS_RAD)))
"""Squared distance from the sun's centre to its rim on the unit sphere: its solid angle over pi."""


@dataclass(frozen=True)
class LightSample:
    """From a point to light: unit direction, distance m, radiance from there, pdf (solid angle)."""

    direction: Any
    distance: Any
    radiance: Any
    pdf: Any


class LightTable:
    """The lights of the present shot. ``environment`` is Mitsuba's map of the surroundings."""

    def __init__(self, environment: Any) -> None:
        self._map = environment

    def load(self, distant: Distant, lamps: list[AreaLight], target: NDArray[np.float64]) -> None:
        """Make these lights the present ones; shares follow what reaches ``target`` (3,) m."""
        center, u, v, radiance = (
            np.array([getattr(lamp, name) for lamp in lamps] or [(0, 0, 0)], dtype=float)
            for name in ("center_world", "half_u_world", "half_v_world", "radiance")
        )
        scaled_normal = 4 * np.cross(u, v)
        area = np.linalg.norm(scaled_normal, axis=1)
        power = area * (radiance @ LUMINANCE)
        total = float(power.sum())
        away = np.maximum(np.linalg.norm(target - center, axis=1), 0.5)
        arriving = np.array(
            [
                distant.irradiance @ LUMINANCE,
                distant.sun_irradiance @ LUMINANCE / 4,
                (power / away**2).sum() / 4,
            ]
        )
        share = arriving / arriving.sum()
        share = np.where(arriving > 0, np.maximum(share, LEAST_SHARE), 0)
        share /= share.sum()
        self.map_share, self.sun_share, self.lamp_share = (_opaque(value) for value in share)

        self.sun_direction = mi.Vector3f(*(_opaque(value) for value in distant.sun_direction))
        disc = distant.sun_irradiance / (np.pi * SUN_CHORD)
        self.sun_radiance = mi.Color3f(*(_opaque(value) for value in disc))

        # A lamp is picked by its power, so the pdf by area is luminance / total power: the same
        # rule serves for a lamp that a path meets by chance.
        self.pick_by_area = _opaque(1 / total if total > 0 else 0.0)
        chance = np.cumsum(power) / total if total > 0 else np.ones(len(power))
        # Kernels know this length: they change only where a shot has very many lamps.
        self.rows = max(FEW_LAMPS, 1 << (len(power) - 1).bit_length())
        self.chance = self._column(chance, fill=2.0)
        self.corner = self._column(center - u - v)
        self.side_u = self._column(2 * u)
        self.side_v = self._column(2 * v)
        self.normal = self._column(scaled_normal / np.maximum(area, 1e-12)[:, None])
        self.radiance = self._column(radiance)

    def sample(self, si: Any, choice: Any, point: Any, active: Any) -> LightSample:
        """A direction to light from a surface; ``choice`` and ``point`` (2) uniform in 0..1."""
        to_lamp = choice < self.lamp_share
        to_sun = ~to_lamp & (choice < self.lamp_share + self.sun_share)
        lamp = self._lamp(si.p, choice / dr.maximum(self.lamp_share, 1e-6), point, to_lamp & active)
        sun_direction = self._in_disc(point)
        sun_radiance, sun_pdf = self.sun(sun_direction)
        around, weight = self._map.sample_direction(si, point, active & ~to_lamp & ~to_sun)

        def chosen(of_lamp: Any, of_sun: Any, of_map: Any) -> Any:
            return dr.select(to_lamp, of_lamp, dr.select(to_sun, of_sun, of_map))

        return LightSample(
            chosen(lamp.direction, sun_direction, around.d),
            dr.select(to_lamp, lamp.distance, dr.inf),
            chosen(lamp.radiance, sun_radiance, weight * around.pdf),
            chosen(lamp.pdf, sun_pdf, around.pdf * self.map_share),
        )

    def around(self, direction: Any, active: Any) -> tuple[Any, Any]:
        """Radiance of the map in a direction, and the pdf of sampling that direction from it."""
        beyond = dr.zeros(mi.SurfaceInteraction3f)
        beyond.wi = -direction
        towards = dr.zeros(mi.DirectionSample3f)
        towards.d = direction
        pdf = self._map.pdf_direction(dr.zeros(mi.Interaction3f), towards, active)
        return self._map.eval(beyond, active), self.map_share * pdf

    def sun(self, direction: Any) -> tuple[Any, Any]:
        """Radiance of the sun's disc in a direction, and the pdf of sampling that direction."""
        in_disc = dr.squared_norm(direction - self.sun_direction) < SUN_CHORD
        pdf = self.sun_share / (np.pi * SUN_CHORD)
        return dr.select(in_disc, self.sun_radiance, 0), dr.select(in_disc, pdf, 0)

    def lamp_pdf(self, normal: Any, offset: Any, radiance: Any) -> Any:
        """Pdf of sampling the lamp point that lies at ``offset`` m and sends this radiance."""
        squared = dr.squared_norm(offset)
        cosine = dr.abs(dr.dot(normal, offset)) * dr.rsqrt(dr.maximum(squared, 1e-12))
        by_area = self.lamp_share * self.pick_by_area * _luminance(radiance)
        return by_area * squared / dr.maximum(cosine, 1e-6)

    def _lamp(self, origin: Any, choice: Any, point: Any, active: Any) -> LightSample:
        index = dr.binary_search(
            0,
            self.rows - 1,
            lambda middle: dr.gather(mi.Float, self.chance, middle, active) <= choice,
        )
        corner = dr.gather(mi.Point3f, self.corner, index, active)
        side_u = dr.gather(mi.Vector3f, self.side_u, index, active)
        side_v = dr.gather(mi.Vector3f, self.side_v, index, active)
        normal = dr.gather(mi.Vector3f, self.normal, index, active)
        radiance = dr.gather(mi.Color3f, self.radiance, index, active)
        offset = corner + side_u * point.x + side_v * point.y - origin
        distance = dr.norm(offset)
        facing = active & (dr.dot(normal, offset) < 0)
        pdf = dr.select(facing, self.lamp_pdf(normal, offset, radiance), 0)
        # Just short of the lamp, which would otherwise shadow itself.
        return LightSample(offset / distance, distance * (1 - 1e-3), radiance, pdf)

    def _in_disc(self, point: Any) -> Any:
        """A direction within the sun's disc."""
        local = mi.warp.square_to_uniform_disk_concentric(point) * (0.999 * np.sin(SUN_RADIUS_RAD))
        height = dr.sqrt(1 - dr.squared_norm(local))
        return mi.Frame3f(self.sun_direction).to_world(mi.Vector3f(local.x, local.y, height))

    def _column(self, values: NDArray[np.float64], fill: float = 0.0) -> Any:
        column = np.full((self.rows, *values.shape[1:]), fill, dtype=np.float32)
        column[: len(values)] = values
        return mi.Float(column.ravel())


def _opaque(value: float) -> Any:
    """A number that kernels read instead of having it compiled in."""
    return dr.opaque(mi.Float, float(value))


def _luminance(color: Any) -> Any:
    red, green, blue = (float(weight) for weight in LUMINANCE)
    return color.x * red + color.y * green + color.z * blue
