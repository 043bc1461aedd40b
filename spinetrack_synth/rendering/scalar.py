"""Drawing without a compiler: Mitsuba's own plugins in the scalar variant, rebuilt for every shot.

Slow but right, and it needs nothing beside the mitsuba wheel. Pinholes with square pixels are
Mitsuba's own; other cameras are asked for every ray in Python, which takes some ten times as long.
The variant must be set before the import.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from typing import Any, Final

import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.camera import Camera
from spinetrack_synth.distortion import MOST_STEPS, newton_step
from spinetrack_synth.rendering.lights import Distant, distant_light
from spinetrack_synth.rendering.packing import MOST_LAYERS, SOLID, area_lights, smooth, texels
from spinetrack_synth.shot import AreaLight, Hits, Material, Shot, Surface

GUIDE_SPP: Final = 4
"""Samples a pixel of the albedo and normal images."""


COVERAGE_SPP: Final = 16
"""Samples a pixel, at least, of what stands before a backdrop."""


@dataclass(frozen=True)
class _Hit:
    """A surface's number (-1 for none), the face of it, its depth m and its normal (3,)."""

    surface: int
    face: int
    depth: float
    normal: NDArray[np.float64]


class ScalarStage:
    """Holds the Mitsuba scene of the present shot."""

    def load(self, shot: Shot) -> None:
        """Build the scene of a shot."""
        self._scene: Any = None
        gc.collect()  # Mitsuba builds a scene several times slower while the last one lives
        self._surfaces = [smooth(surface) for surface in shot.surroundings]
        for person in shot.people:
            self._surfaces += [smooth(surface) for surface in person.surfaces]
        scene: dict[str, Any] = {"type": "scene"}
        for number, surface in enumerate(self._surfaces):
            scene[f"surface{number}"] = _mesh(surface)
        for number, lamp in enumerate(area_lights(shot)):
            scene[f"lamp{number}"] = _lamp(lamp)
        self._scene = mi.load_dict({**scene, **_afar(distant_light(shot.lights))})

    def light(
        self, camera: Camera, *, spp: int, depth: int, seed: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Noisy radiance, albedo and world normal, each (H, W, 3)."""
        # Mitsuba counts the segments of a path, the one from the camera and the one to light too.
        path = mi.load_dict({"type": "path", "max_depth": depth + 1, "rr_depth": 3})
        guides = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
        radiance = self._draw(path, camera, spp, seed)
        both = self._draw(guides, camera, GUIDE_SPP, seed)
        return radiance, np.clip(both[..., :3], 0, 1), np.ascontiguousarray(both[..., 3:6])

    def coverage(self, camera: Camera, *, spp: int, seed: int) -> NDArray[np.float32]:
        """Part (H, W) of each pixel's samples that meet anything but the first surface.

        Black against white, which shows masks as they are. The samples are not those of `light`,
        for Mitsuba's plugins keep theirs to themselves: more of them.
        """
        black = [replace(s, material=_blackened(s.material)) for s in self._surfaces[1:]]
        around = {"type": "constant", "radiance": {"type": "rgb", "value": 1.0}}
        scene = {f"surface{k}": _mesh(surface) for k, surface in enumerate(black)}
        path = mi.load_dict({"type": "path", "max_depth": MOST_LAYERS})
        lit, self._scene = self._scene, mi.load_dict({"type": "scene", "around": around, **scene})
        try:
            white = self._draw(path, camera, max(spp, COVERAGE_SPP), seed)
        finally:
            self._scene = lit
        covered: NDArray[np.float32] = np.clip(1 - white.mean(axis=-1), 0, 1)
        return covered

    def scan(self, camera: Camera) -> tuple[Hits, NDArray[np.float32]]:
        """Surfaces and their faces, and depth (H, W) m at pixel centres."""
        aovs = "point:position,shape:shape_index,face:prim_index"
        drawn = self._draw(mi.load_dict({"type": "aov", "aovs": aovs}), camera, 1, 0)
        surface = np.rint(drawn[..., 3]).astype(np.int32) - 1  # -1 where nothing was hit
        face = np.rint(drawn[..., 4]).astype(np.int32)
        points = drawn[..., :3].astype(float)
        depth = np.where(surface >= 0, camera.to_camera(points)[..., 2], np.inf)
        for row, column in self._behind_masks(surface):
            hit = self._first_solid(camera, column + 0.5, row + 0.5)
            surface[row, column], depth[row, column] = hit.surface, hit.depth
            face[row, column] = hit.face
        return Hits(surface, face), depth.astype(np.float32)

    def normals(self, camera: Camera) -> NDArray[np.float32]:
        """World normals (H, W, 3) at pixel centres."""
        guides = mi.load_dict({"type": "aov", "aovs": "normal:sh_normal,shape:shape_index"})
        drawn = self._draw(guides, camera, 1, 0)
        normal = drawn[..., :3].copy()
        surface = np.rint(drawn[..., 3]).astype(np.int32) - 1
        for row, column in self._behind_masks(surface):
            normal[row, column] = self._first_solid(camera, column + 0.5, row + 0.5).normal
        u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
        rays = camera.unproject(np.stack([u, v], -1), np.ones_like(u)) - camera.position_world
        away = (normal * rays).sum(-1) > 0
        return np.where(away[..., None], -normal, normal).astype(np.float32)

    def _behind_masks(self, surface: NDArray[np.int32]) -> NDArray[np.intp]:
        """Rows and columns (N, 2) where the first surface has an opacity mask."""
        masked = np.zeros(int(surface.max(initial=0)) + 2, dtype=bool)
        for number, known in enumerate(self._surfaces[: len(masked) - 1]):
            masked[number] = known.material.opacity is not None
        return np.argwhere(masked[surface])

    def _first_solid(self, camera: Camera, x: float, y: float) -> _Hit:
        """The first surface that is not see-through."""
        origin = camera.position_world
        toward = camera.unproject([x, y], 1.0) - origin
        direction: Any = toward
        depth = 0.0
        for layer in range(MOST_LAYERS + 1):
            start: Any = origin + depth * toward
            ray = mi.Ray3f(start, direction)
            si = self._scene.ray_intersect(ray)
            if not si.is_valid():
                return _Hit(-1, 0, np.inf, np.zeros(3))
            depth += si.t
            name = si.shape.id()
            number = int(name.removeprefix("surface").removeprefix("lamp"))
            if name.startswith("lamp"):
                number += len(self._surfaces)
            if (
                number >= len(self._surfaces)
                or layer == MOST_LAYERS
                or _opacity(self._surfaces[number].material, si.uv) >= SOLID
            ):
                return _Hit(number, int(si.prim_index), depth, np.array(si.sh_frame.n))
            depth += 1e-5 * (1 + depth)
        raise AssertionError("the last layer always counts as solid")

    def _draw(self, integrator: Any, camera: Camera, spp: int, seed: int) -> NDArray[np.float32]:
        sensor = _sensor(camera, centred=spp == 1)
        lane: Any = seed
        image = mi.render(self._scene, sensor=sensor, integrator=integrator, spp=spp, seed=lane)
        return np.array(image, dtype=np.float32)


def _sensor(camera: Camera, *, centred: bool) -> Any:
    """Mitsuba's camera; ``centred`` looks through pixel centres with its one sample, and through
    the middle of the lens."""
    K = camera.K
    film = {
        "type": "hdrfilm",
        "width": camera.width,
        "height": camera.height,
        "rfilter": {"type": "box"},
        "pixel_format": "rgb",
        "component_format": "float32",
    }
    sampler = (
        {"type": "stratified", "sample_count": 1, "jitter": False}
        if centred
        else {"type": "independent"}
    )
    square = abs(K[0, 0] - K[1, 1]) <= 1e-6 * K[0, 0] and K[0, 1] == 0
    if not square or camera.distortion is not None or (camera.aperture_m > 0 and not centred):
        properties = mi.Properties()
        properties["film"], properties["sampler"] = mi.load_dict(film), mi.load_dict(sampler)
        return _LensSensor(properties, camera, 0.0 if centred else camera.aperture_m)
    # Mitsuba's camera looks along +z with x to the left and y up.
    cam2world: Any = np.linalg.inv(camera.world2cam) @ np.diag([-1.0, -1.0, 1.0, 1.0])
    perspective = {
        "type": "perspective",
        "fov_axis": "x",
        "fov": float(np.degrees(2 * np.arctan(camera.width / 2 / K[0, 0]))),
        "principal_point_offset_x": float(0.5 - K[0, 2] / camera.width),
        "principal_point_offset_y": float(0.5 - K[1, 2] / camera.height),
        "to_world": mi.ScalarTransform4f(cam2world),
        "near_clip": 0.01,
        "far_clip": 1e4,
        "film": film,
        "sampler": sampler,
    }
    return mi.load_dict(perspective)


class _LensSensor(mi.Sensor):
    """A camera with any K, distortion and aperture. Points and vectors are plain numbers here: that
    is what a call from Mitsuba for every single ray can afford."""

    def __init__(self, properties: Any, camera: Camera, aperture_m: float) -> None:
        super().__init__(properties)
        self.m_needs_sample_3 = aperture_m > 0
        self._size = camera.width, camera.height
        self._pixel2plane = np.linalg.inv(camera.K)[:2].tolist()
        self._coefficients = camera.distortion.coefficients if camera.distortion else None
        self._cam2world = camera.world2cam[:3, :3].T.tolist()
        self._position = camera.position_world.tolist()
        self._radius_m = aperture_m / 2
        self._sharpness = 1 / camera.focus_m

    def sample_ray(self, *request: Any) -> Any:
        """As below."""
        return self.sample_ray_differential(*request)

    def sample_ray_differential(self, *request: Any) -> Any:
        """The ray, of weight 1, that Mitsuba asks for by time, wavelength, the place in the picture
        and that in the lens (both in 0..1)."""
        time, _, place, in_lens, *_ = request
        x, y = place.x * self._size[0], place.y * self._size[1]
        u, v = (row[0] * x + row[1] * y + row[2] for row in self._pixel2plane)
        if self._coefficients is not None:
            u, v = _undistorted(self._coefficients, u, v)
        aside = mi.warp.square_to_uniform_disk_concentric(in_lens) * self._radius_m
        here, toward = (aside.x, aside.y, 0.0), (
            u - aside.x * self._sharpness, v - aside.y * self._sharpness, 1.0,
        )  # fmt: skip
        ray = mi.RayDifferential3f()
        ray.time = time
        ray.o = mi.Point3f(
            *(
                p + sum(a * b for a, b in zip(r, here))
                for p, r in zip(self._position, self._cam2world)
            )
        )
        ray.d = mi.Vector3f(*(sum(a * b for a, b in zip(r, toward)) for r in self._cam2world))
        ray.d /= sum(part * part for part in toward) ** 0.5
        return ray, mi.Color3f(1)


def _undistorted(
    coefficients: tuple[float, ...], u: float, v: float, precise: float = 1e-10
) -> tuple[float, float]:
    """The point that lands at u, v, by Newton's method."""
    x, y = u, v
    for _ in range(MOST_STEPS):
        before = x, y
        x, y = newton_step(coefficients, x, y, u, v)
        if abs(x - before[0]) + abs(y - before[1]) < precise:
            break
    return x, y


def _blackened(material: Material) -> Material:
    return replace(material, base_color=(0.0, 0.0, 0.0), roughness=1.0, specular=0.0)


def _mesh(surface: Surface) -> Any:
    """One surface as a Mitsuba mesh with its own materials."""
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(_bsdf(surface.material))
    mesh = mi.Mesh(
        surface.key,
        len(surface.vertices_world),
        len(surface.faces),
        has_vertex_normals=True,
        has_vertex_texcoords=True,
        props=properties,
    )
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = np.ravel(surface.vertices_world)
    assert surface.normals_world is not None  # `smooth` gave it normals
    parameters["vertex_normals"] = np.ravel(surface.normals_world)
    parameters["vertex_texcoords"] = np.ravel(surface.uv)
    parameters["faces"] = np.ravel(surface.faces).astype(np.uint32)
    parameters.update()
    return mesh


def _bsdf(material: Material) -> dict[str, Any]:
    image = texels(material)  # Mitsuba too has the first row at v = 0
    plain: dict[str, Any] = {
        "type": "principled",
        "base_color": _bitmap(image[..., :3], raw=False),
        "roughness": material.roughness,
        "specular": material.specular,
    }
    if material.normals is not None:
        normals = _bitmap(texels(Material(material.normals))[..., :3], raw=True)
        plain = {"type": "normalmap", "normalmap": normals, "bsdf": plain}
    base: dict[str, Any] = {"type": "twosided", "bsdf": plain}
    if material.opacity is None:
        return base
    return {"type": "mask", "opacity": _bitmap(image[..., 3:], raw=True), "bsdf": base}


def _bitmap(image: NDArray[np.uint8], *, raw: bool) -> dict[str, Any]:
    return {"type": "bitmap", "bitmap": mi.Bitmap(np.ascontiguousarray(image)), "raw": raw}


def _opacity(material: Material, uv: Any) -> float:
    """Opacity 0..1 of a material at uv, bilinear, repeating."""
    if material.opacity is None:
        return 1.0
    image = material.opacity
    height, width = image.shape
    x, y = (uv[0] % 1) * width - 0.5, (1 - uv[1] % 1) * height - 0.5
    left, top = int(np.floor(x)), int(np.floor(y))
    along, down = x - left, y - top
    rows, columns = np.array([top, top + 1]) % height, np.array([left, left + 1]) % width
    corners = image[np.ix_(rows, columns)] / 255
    return float(np.array([1 - down, down]) @ corners @ np.array([1 - along, along]))


def _lamp(lamp: AreaLight) -> dict[str, Any]:
    """A glowing rectangle; Mitsuba's spans -1..1 and shines along its z."""
    u, v = np.array(lamp.half_u_world, dtype=float), np.array(lamp.half_v_world, dtype=float)
    normal = np.cross(u, v)
    to_world: Any = np.eye(4)
    to_world[:3] = np.stack([u, v, normal / np.linalg.norm(normal), lamp.center_world], axis=1)
    return {
        "type": "rectangle",
        "to_world": mi.ScalarTransform4f(to_world),
        "bsdf": {"type": "diffuse", "reflectance": 0.0},
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": list(lamp.radiance)}},
    }


def _afar(distant: Distant) -> dict[str, Any]:
    emitters: dict[str, Any] = {"around": {"type": "envmap", "bitmap": mi.Bitmap(distant.radiance)}}
    if distant.sun_irradiance.any():
        emitters["sun"] = {
            "type": "directional",
            "direction": [float(-value) for value in distant.sun_direction],
            "irradiance": {"type": "rgb", "value": [float(v) for v in distant.sun_irradiance]},
        }
    return emitters
