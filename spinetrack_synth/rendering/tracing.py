"""Following light: a path tracer that sees through opacity masks, and a scan of the first surfaces.

Mitsuba's own ``path`` integrator takes a masked hair card for solid when it casts a shadow, and has
no guide images for the denoiser without twice the cost. Geometry and the map of the surroundings
are Mitsuba's. The variant must be set before the import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import drjit as dr
import mitsuba as mi
import numpy as np

from spinetrack_synth.camera import Camera
from spinetrack_synth.distortion import newton_step
from spinetrack_synth.rendering.emitters import LightTable
from spinetrack_synth.rendering.packing import MOST_LAYERS, SOLID
from spinetrack_synth.rendering.surfaces import SurfaceTable

NEWTON_STEPS: Final = 10
"""Undistort to float32's precision, up to lenses that squeeze the corner a hundredfold."""


@dataclass(frozen=True)
class World:
    """What light comes from and what it meets: Mitsuba's scene and the tables beside it."""

    scene: Any
    mesh: Any
    surfaces: SurfaceTable
    lights: LightTable

    def met(self, ray: Any, coherent: Any, active: Any) -> Any:
        """What a ray meets first: ``mesh``, or nothing.

        The mesh stands in the scene as the one instance of a group, untransformed, for a group's
        tree is built at Embree's medium quality: in half the time of the scene's own, and about as
        fast to follow. What lies at a hit is asked of the mesh itself.
        """
        hit = self.scene.ray_intersect_preliminary(ray, coherent=coherent, active=active)
        hit.shape, hit.instance = mi.ShapePtr(self.mesh), mi.ShapePtr(None)
        return hit


@dataclass(frozen=True)
class Bend:
    """A lens's distortion on the device: from pixels to the plane one metre ahead, OpenCV's
    coefficients there, and from that plane to the world."""

    pixel2plane: Any
    coefficients: tuple[Any, ...]
    plane2world: Any

    def direction(self, x: Any, y: Any) -> Any:
        """World direction of what lands at the image point (x, y) px, one metre deep."""
        landed = self.pixel2plane @ mi.Vector3f(x, y, 1)
        point = landed.x, landed.y
        for _ in range(NEWTON_STEPS):
            point = newton_step(self.coefficients, *point, landed.x, landed.y)
        return self.plane2world @ mi.Vector3f(*point, 1)


@dataclass(frozen=True)
class Aperture:
    """A round opening on the device: its radii along the picture's axes in the world (m), and the
    reciprocal of the depth in focus (1/m)."""

    right: Any
    down: Any
    sharpness: Any


@dataclass(frozen=True)
class View:
    """A camera on the device; everything opaque, so that no number is compiled into a kernel."""

    width: Any
    position: Any
    pixel2world: Any
    bend: Bend | None = None
    aperture: Aperture | None = None

    @classmethod
    def of(cls, camera: Camera) -> View:
        """Rays of the camera: direction = pixel2world (x, y, 1), of depth 1 along the axis."""
        pixel2plane, plane2world = np.linalg.inv(camera.K), camera.world2cam[:3, :3].T
        bend = aperture = None
        if camera.distortion is not None:
            coefficients = tuple(dr.opaque(mi.Float, k) for k in camera.distortion.coefficients)
            bend = Bend(_matrix(pixel2plane), coefficients, _matrix(plane2world))
        if camera.aperture_m > 0:
            right, down = 0.5 * camera.aperture_m * plane2world.T[:2]
            sharpness = dr.opaque(mi.Float, float(1 / camera.focus_m))
            aperture = Aperture(_vector(right), _vector(down), sharpness)
        return cls(
            width=dr.opaque(mi.UInt32, camera.width),
            position=mi.Point3f(_vector(camera.position_world)),
            pixel2world=_matrix(plane2world @ pixel2plane),
            bend=bend,
            aperture=aperture,
        )

    def direction(self, x: Any, y: Any) -> Any:
        """World direction through the image point (x, y) px, one metre deep."""
        if self.bend is not None:
            return self.bend.direction(x, y)
        return self.pixel2world @ mi.Vector3f(x, y, 1)

    def ray(self, x: Any, y: Any, in_lens: Any) -> Any:
        """A ray to the image point (x, y) px through the point ``in_lens`` of the unit square that
        is the opening; a pinhole does not ask for it."""
        direction = self.direction(x, y)
        if self.aperture is None:
            return mi.Ray3f(self.position, dr.normalize(direction))
        disk = mi.warp.square_to_uniform_disk_concentric(in_lens)
        aside = disk.x * self.aperture.right + disk.y * self.aperture.down
        toward = direction - aside * self.aperture.sharpness
        return mi.Ray3f(self.position + aside, dr.normalize(toward))


def _matrix(values: Any) -> Any:
    return mi.Matrix3f(*[[dr.opaque(mi.Float, float(value)) for value in row] for row in values])


def _vector(values: Any) -> Any:
    return mi.Vector3f(*(dr.opaque(mi.Float, float(value)) for value in values))


def trace(world: World, view: View, pixels: int, spp: int, depth: int, seed: int) -> Any:
    """Mean radiance, albedo and world normal of every pixel, three Color3f of size ``pixels``.

    Of ``spp`` samples a pixel half go on after each surface, at least one, over ``depth`` surfaces
    in all, and count for the others: light that has bounced is smooth, so fewer do for it.
    """
    sampler = mi.load_dict({"type": "independent"})
    sampler.seed(seed, pixels * spp)
    # All first samples, then all second ones: whole vectors of lanes end together.
    lane = dr.arange(mi.UInt32, pixels * spp)
    pixel, number = lane % dr.opaque(mi.UInt32, pixels), lane // dr.opaque(mi.UInt32, pixels)
    samples = dr.opaque(mi.UInt32, spp)
    x, y = mi.Float(pixel % view.width), mi.Float(pixel // view.width)
    shift = dr.opaque(mi.UInt32, seed)
    place = _place_in_pixel(number, samples, shift)
    in_lens = None if view.aperture is None else _place_in_lens(number, samples, pixel, shift)
    ray = view.ray(x + place.x, y + place.y, in_lens)
    images = _paths(world, sampler, ray, number, samples, dr.opaque(mi.UInt32, depth))
    dr.eval(images)  # in one kernel; whatever reads them would otherwise follow all paths again
    return tuple(_pixel_mean(image, pixels, spp) for image in images)


@dr.syntax
def scan(world: World, view: View, pixels: int) -> Any:
    """Depth (m along the optical axis, inf for nothing), surface and triangle at every pixel
    centre.

    The surface is its number counted from 1, 0 for nothing; the triangle that among all.
    """
    surfaces = world.surfaces
    pixel = dr.arange(mi.UInt32, pixels)
    x, y = pixel % view.width, pixel // view.width
    # Not normalised: one unit of the ray is one metre of depth.
    direction = view.direction(mi.Float(x) + 0.5, mi.Float(y) + 0.5)
    ray = mi.Ray3f(view.position, direction)
    depth = mi.Float(0)
    seen = mi.UInt32(0)
    triangle = mi.UInt32(0)
    layers = mi.UInt32(0)
    active = mi.Bool(True)
    while dr.hint(active, exclude=[world, view, surfaces, x, y, direction, pixel]):
        hit = world.met(ray, coherent=True, active=active)
        found = active & hit.is_valid()
        surface = surfaces.surface_at(hit.prim_index, found)
        opacity = _opacity(world, hit, ray, surface, found)
        passed = found & (opacity < SOLID) & (layers < MOST_LAYERS)
        step = dr.select(passed, _beyond(hit.t), hit.t)
        depth = dr.select(active, depth + step, depth)
        kept = found & ~passed
        seen = dr.select(kept, surface + 1, seen)
        triangle = dr.select(kept, hit.prim_index, triangle)
        ray.o = dr.select(passed, ray.o + ray.d * step, ray.o)
        layers += 1
        active = passed
    return depth, seen, triangle


def normals(world: World, view: View, pixels: int, depth: Any) -> Any:
    """Shading normals towards the camera of what lies ``depth`` m deep at every pixel centre.

    Zero where nothing is (depth inf).
    """
    pixel = dr.arange(mi.UInt32, pixels)
    x, y = pixel % view.width, pixel // view.width
    direction = view.direction(mi.Float(x) + 0.5, mi.Float(y) + 0.5)
    found = dr.isfinite(depth)
    # From just before the surface, past whatever see-through lies in front of it.
    start = view.position + direction * dr.select(found, depth * (1 - 1e-5), 0)
    ray = mi.Ray3f(start, direction)
    hit = world.met(ray, coherent=True, active=found)
    si = hit.compute_surface_interaction(ray, mi.RayFlags.All, found & hit.is_valid())
    normal = dr.select(dr.dot(si.sh_frame.n, direction) < 0, si.sh_frame.n, -si.sh_frame.n)
    return dr.select(found & si.is_valid(), mi.Vector3f(normal), mi.Vector3f(0))


def coverage(world: World, view: View, pixels: int, spp: int, seed: int) -> Any:
    """Part of each pixel's samples that meet anything but surface 0, masks by their opacity.

    The samples lie where `trace` has them with the same ``spp`` and ``seed``.
    """
    lane = dr.arange(mi.UInt32, pixels * spp)
    pixel, number = lane % dr.opaque(mi.UInt32, pixels), lane // dr.opaque(mi.UInt32, pixels)
    x, y = mi.Float(pixel % view.width), mi.Float(pixel // view.width)
    samples, shift = dr.opaque(mi.UInt32, spp), dr.opaque(mi.UInt32, seed)
    place = _place_in_pixel(number, samples, shift)
    in_lens = None if view.aperture is None else _place_in_lens(number, samples, pixel, shift)
    ray = view.ray(x + place.x, y + place.y, in_lens)
    covered = mi.Color3f(1 - _seen_through(world, ray))
    dr.eval(covered)
    return _pixel_mean(covered, pixels, spp).x


@dr.syntax
def _seen_through(world: World, ray: Any) -> Any:
    """The part of a camera ray that comes as far as surface 0, or leaves the scene."""
    ray = mi.Ray3f(ray)
    active = mi.Bool(True)
    through = mi.Float(1)
    layers = mi.UInt32(0)
    while dr.hint(active, exclude=[world]):
        hit = world.met(ray, coherent=True, active=active)
        found = active & hit.is_valid()
        surface = world.surfaces.surface_at(hit.prim_index, found)
        before = found & (surface != 0)
        opacity = _opacity(world, hit, ray, surface, before)
        through = dr.select(before, through * (1 - opacity), through)
        ray.o = dr.select(before, ray.o + ray.d * _beyond(hit.t), ray.o)
        layers += 1
        active = before & (through > 0.01) & (layers < MOST_LAYERS)
    return through


@dr.syntax
def _paths(world: World, sampler: Any, ray: Any, number: Any, samples: Any, depth: Any) -> Any:
    """Radiance, first albedo and first normal along each camera ray.

    ``number`` tells which of its pixel's ``samples`` a ray is; a path lights ``depth`` surfaces.
    """
    surfaces = world.surfaces
    ray = mi.Ray3f(ray)
    radiance = mi.Color3f(0)
    albedo = mi.Color3f(0)
    normal = mi.Normal3f(0)
    throughput = mi.Color3f(1)
    bounces = mi.UInt32(0)
    layers = mi.UInt32(0)
    origin = mi.Point3f(0)
    bsdf_pdf = mi.Float(0)  # 0: from the camera, nothing to weigh against
    active = mi.Bool(True)
    while dr.hint(active, exclude=[world, surfaces, number, samples, depth]):
        hit = world.met(ray, coherent=bounces == 0, active=active)
        valid = active & hit.is_valid()
        si = hit.compute_surface_interaction(ray, mi.RayFlags.All, valid)
        surface = surfaces.surface_at(si.prim_index, valid)
        color, opacity = surfaces.texel_at(surface, si.uv, valid)
        if dr.hint(surfaces.any_relief, mode="scalar"):
            si.sh_frame = surfaces.shading_frame(surface, si, -ray.d, valid)
            si.wi = si.to_local(-ray.d)
        passed = valid & (sampler.next_1d(active) >= opacity) & (layers < MOST_LAYERS)
        arrived = active & ~passed

        met = _met_light(world, origin, bsdf_pdf, ray, si, surface, arrived)
        radiance = dr.select(arrived, radiance + throughput * met, radiance)

        first = arrived & valid & (bounces == 0)
        albedo = dr.select(first, color, albedo)
        normal = dr.select(first, si.sh_frame.n, normal)

        # Light straight to this vertex; the path ends with the last one.
        shaded = arrived & valid
        last = bounces + 1 >= depth
        light = world.lights.sample(si, sampler.next_1d(shaded), sampler.next_2d(shaded), shaded)
        scatter = surfaces.scatter_at(surface, color, shaded)
        lit, direct = _direct_light(world, si, light, scatter, throughput, last, shaded)
        radiance = dr.select(lit, radiance + direct, radiance)

        # Onward: straight through a mask, or as the surface scatters.
        wo, wo_pdf, factor = scatter.sample(si.wi, sampler.next_1d(shaded), sampler.next_2d(shaded))
        ray_on = si.spawn_ray(dr.select(passed, ray.d, si.to_world(wo)))
        ray = dr.select(active, ray_on, ray)
        here = dr.maximum(samples >> bounces, 1)
        next_one = dr.maximum(samples >> (bounces + 1), 1)
        onward = throughput * factor * (mi.Float(here) / mi.Float(next_one))
        throughput = dr.select(shaded, onward, throughput)
        bsdf_pdf = dr.select(shaded, wo_pdf, bsdf_pdf)
        origin = dr.select(shaded, si.p, origin)
        bounces = dr.select(shaded, bounces + 1, bounces)
        layers = dr.select(passed, layers + 1, layers)

        goes_on = shaded & ~last & (number < next_one) & (dr.max(throughput) > 0)
        active = passed | goes_on
    return radiance, albedo, normal


@dr.syntax
def _direct_light(
    world: World, si: Any, light: Any, scatter: Any, throughput: Any, last: Any, active: Any
) -> tuple[Any, Any]:
    """Whether a sampled light may reach a vertex, and the radiance of it that the path carries.

    It is weighed against meeting the light by going on, which the ``last`` vertex does not.
    """
    value, value_pdf = scatter.evaluate(si.wi, si.to_local(light.direction))
    lit = active & (light.pdf > 0) & (dr.max(value) > 0)
    shadow_ray = si.spawn_ray(light.direction)
    shadow_ray.maxt = light.distance
    if dr.hint(world.surfaces.any_masked, mode="scalar"):
        clear = _transmittance(world, shadow_ray, lit)
    else:
        clear = dr.select(world.scene.ray_test(shadow_ray, lit), 0, mi.Float(1))
    other_pdf = dr.select(last, 0, value_pdf)
    return lit, throughput * value * light.radiance * clear / (light.pdf + other_pdf)


def _met_light(
    world: World, origin: Any, bsdf_pdf: Any, ray: Any, si: Any, surface: Any, active: Any
) -> Any:
    """Radiance of what a ray ran into, weighed against having sampled it from the last vertex.

    ``bsdf_pdf`` 0 means a ray from the camera: nothing to weigh against.
    """

    def weighed(radiance: Any, pdf: Any) -> Any:
        return dr.select(bsdf_pdf > 0, bsdf_pdf / (bsdf_pdf + pdf), 1) * radiance

    beyond, inside = active & ~si.is_valid(), active & si.is_valid()
    afar = weighed(*world.lights.around(ray.d, beyond)) + weighed(*world.lights.sun(ray.d))
    glow = dr.gather(mi.Color3f, world.surfaces.emission, surface, inside)
    glow = dr.select(dr.dot(si.n, ray.d) < 0, glow, 0)
    lamp = weighed(glow, world.lights.lamp_pdf(si.n, si.p - origin, glow))
    return dr.select(beyond, afar, lamp)


@dr.syntax
def _transmittance(world: World, ray: Any, active: Any) -> Any:
    """The part of light that comes through along a ray, masks counted by their opacity."""
    ray = mi.Ray3f(ray)
    active = mi.Bool(active)
    through = mi.Float(1)
    layers = mi.UInt32(0)
    while dr.hint(active, exclude=[world]):
        hit = world.met(ray, coherent=False, active=active)
        found = active & hit.is_valid()
        surface = world.surfaces.surface_at(hit.prim_index, found)
        opacity = _opacity(world, hit, ray, surface, found)
        through = dr.select(found, through * (1 - opacity), through)
        step = _beyond(hit.t)
        ray.o = dr.select(found, ray.o + ray.d * step, ray.o)
        ray.maxt = dr.select(found, ray.maxt - step, ray.maxt)
        layers += 1
        active = found & (through > 0.01) & (layers < MOST_LAYERS) & (ray.maxt > 0)
    return through


def _opacity(world: World, hit: Any, ray: Any, surface: Any, active: Any) -> Any:
    """Opacity where a ray hit; texels are looked up on masked surfaces alone."""
    masked = active & (dr.gather(mi.UInt32, world.surfaces.masked, surface, active) != 0)
    si = hit.compute_surface_interaction(ray, mi.RayFlags.UV, masked)
    _, opacity = world.surfaces.texel_at(surface, si.uv, masked)
    return dr.select(masked, opacity, 1)


def _beyond(t: Any) -> Any:
    """Just past a hit at ``t``."""
    return t * (1 + 1e-5) + 1e-5


def _place_in_pixel(number: Any, samples: Any, seed: Any) -> Any:
    """Where in its pixel a sample lies: Hammersley's points, moved by the seed.

    The same in every pixel, so that an edge comes out as even steps of coverage: the denoiser takes
    the guide images at their word and would keep their noise.
    """
    return _hammersley(number, samples, *mi.sample_tea_32(seed, samples))


def _place_in_lens(number: Any, samples: Any, pixel: Any, seed: Any) -> Any:
    """Where in the lens a sample goes through: Hammersley's points, moved in every pixel by
    itself, so that blur is noise, which the denoiser knows, and not the same few ghosts."""
    return _hammersley(number, samples, *mi.sample_tea_32(pixel, seed ^ 0x1E45))


def _hammersley(number: Any, samples: Any, first: Any, second: Any) -> Any:
    """Hammersley's point of a number, moved by two words of 32 bits around the unit square."""
    x = (mi.Float(number) + 0.5) / mi.Float(samples) + mi.Float(first) * 2**-32
    y = mi.Float(dr.brev(number)) * 2**-32 + mi.Float(second) * 2**-32
    return mi.Point2f(x - dr.floor(x), y - dr.floor(y))


def _pixel_mean(image: Any, pixels: int, spp: int) -> Any:
    pixel = dr.arange(mi.UInt32, pixels)
    total = mi.Color3f(0)
    for number in range(spp):
        here = pixel + dr.opaque(mi.UInt32, number * pixels)
        total += mi.Color3f([dr.gather(mi.Float, channel, here) for channel in image])
    return total * (1 / spp)
