"""Where the camera stands and how it frames the people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.camera import Camera, look_at
from spinetrack_synth.scenes.description import CameraRules
from spinetrack_synth.scenes.lighting import draw
from spinetrack_synth.scenes.optics import FILM_WIDTH_MM, Lens
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.shapes import Array, Rng
from spinetrack_synth.scenes.things import screened, screened_by, thing_points
from spinetrack_synth.shot import PosedPerson, Thing

VIEWS_TRIED: Final = 150
SKIN_STEP: Final = 12
"""Every so manieth skin vertex stands for the body."""
MOST_HIDDEN: Final = 0.5
"""Share of the main person that others, or what they rest on, may cover."""
LARGEST_OTHER: Final = 1.5
"""Coverage of a person in the foreground."""
EDGE_PX: Final = 3.0
LEAST_LEFT: Final = 0.25
"""Share of the main person that is left in the picture, however an edge cuts."""


@dataclass(frozen=True)
class Framing:
    """How the subject lies in the picture: whole, cropped (larger than the picture), or truncated
    by one of its edges."""

    rules: CameraRules
    size: tuple[int, int]
    lens: Lens
    crop: bool
    truncated: bool


def find_view(
    people: tuple[PosedPerson, ...],
    place: Place,
    rules: CameraRules,
    size: tuple[int, int],
    rng: Rng,
    lens: Lens | None = None,
    things: Sequence[Thing] = (),
    accept: Callable[[Camera], bool] = lambda camera: True,
) -> Camera | None:
    """A camera that shows the first person, or all, as the rules ask; None where none was found.

    It stands inside the place's camera room, clear of things and people, and nothing bulky is
    between it and the first person but what people rest on and hold: these ``things`` may cover a
    part of the person. ``accept`` may ask for more.
    """
    corners = [thing_points(thing) for thing in things]
    bodies = [np.asarray(p.skin_world[::SKIN_STEP], float) for p in people]
    group = len(people) > 1 and rng.random() < rules.group
    crop = rng.random() < rules.crop
    truncated = not crop and rules.truncation > 0 and rng.random() < rules.truncation
    framing = Framing(rules, size, lens or Lens(), crop, truncated)
    subject = np.concatenate(bodies) if group and not truncated else bodies[0]
    for _ in range(VIEWS_TRIED):
        camera = _framed(subject, place, framing, rng)
        if camera is None or not accept(camera):
            continue
        if not stands_clear(camera, place, rules, [*bodies, *corners]):
            continue
        position = camera.position_world
        hidden = [screened_by(thing, position, bodies[0]) for thing in things]
        if hidden and np.any(hidden, axis=0).mean() > MOST_HIDDEN:
            continue
        if _looming(camera, bodies[1:]) or _covered(camera, bodies) > MOST_HIDDEN:
            continue
        return camera
    return None


def stands_clear(camera: Camera, place: Place, rules: CameraRules, bodies: list[Array]) -> bool:
    """Whether a camera stands in the room kept for it, apart from people and things, with nothing
    bulky before the first of the bodies (points of the skin (N, 3) m)."""
    position, (low, high) = camera.position_world, place.camera_room
    return (
        bool(((low <= position) & (position <= high)).all())
        and _nearest_thing_m(position, place, bodies) >= rules.clearance_m
        and not behind_things(position, bodies[0], place.obstacles)
    )


def coverage(pixels: Array, size: ArrayLike) -> float:
    """The larger part of width or height that pixels (N, 2) span of a picture (width, height)."""
    return float((np.ptp(pixels, axis=0) / size).max())


def _framed(points: Array, place: Place, framing: Framing, rng: Rng) -> Camera | None:
    """A camera at a random azimuth that shows the points (N, 3) at a random size and position."""
    rules, size, lens = framing.rules, framing.size, framing.lens
    width, height = size
    px_per_mm = max(size) / FILM_WIDTH_MM
    middle = (points.min(0) + points.max(0)) / 2
    limits = rules.crop_coverage if framing.crop else rules.coverage
    wanted = draw(rng, limits)
    shift = rng.triangular(-1, 0, 1, 2)  # mostly about the middle of the picture
    azimuth, lens_height = rng.uniform(0, 2 * np.pi), draw(rng, rules.height_m)
    focal_mm = float(np.exp(rng.uniform(np.log(rules.lens_mm.low), np.log(rules.lens_mm.high))))
    roll = np.radians(draw(rng, rules.roll_deg))
    beyond = _beyond(rules, rng) if framing.truncated else np.zeros(2)
    across = np.array([-np.sin(azimuth), 0, np.cos(azimuth)])
    span = max(np.ptp(points @ across) / width, np.ptp(points[:, 1]) / height)
    direction = np.array([np.cos(azimuth), np.sin(azimuth)])
    farthest = _way_out_m(middle[[0, 2]], direction, place.camera_room[:, [0, 2]])
    distance = min(focal_mm * px_per_mm * span / wanted, farthest * rng.uniform(0.75, 1.0))
    if distance < rules.clearance_m:
        return None
    x, z = middle[[0, 2]] + distance * direction
    position = np.array([x, lens_height, z])
    if not (place.camera_room[0] <= position).all() or not (position <= place.camera_room[1]).all():
        return None

    def aimed(focal: float, target: Array) -> Camera:
        return look_at(position, target, focal_px=focal, width=width, height=height, roll_rad=roll)

    focal, target = focal_mm * px_per_mm, middle
    for _ in range(4):
        plain = aimed(focal, target)
        pixels = _pixels(plain, lens, points)
        if not np.isfinite(pixels).all():
            return None
        focal *= wanted / coverage(pixels, size)
        # Where the box should be: anywhere inside, or for a crop over the picture's edge.
        box = np.ptp(pixels, axis=0)
        free = (np.array(size) - box) / 2 - 2 * EDGE_PX
        center = (pixels.min(0) + pixels.max(0)) / 2
        aim = np.array(size) / 2 + shift * np.where(free > 0, 0.9 * free, 0.5 * np.abs(free))
        if framing.truncated:
            over = np.array(size) / 2 + np.sign(beyond) * (np.array(size) - box) / 2 + beyond * box
            aim = np.where(beyond != 0, over, aim)
        ray = plain.unproject(np.array(size) / 2 + center - aim, np.array(1.0)) - position
        target = position + ray
    plain = aimed(focal, target)
    if not rules.lens_mm.low <= focal / px_per_mm <= rules.lens_mm.high:
        return None
    pixels = _pixels(plain, lens, points)
    if not np.isfinite(pixels).all() or not limits.low <= coverage(pixels, size) <= limits.high:
        return None
    camera = lens.on(plain)
    outside = (pixels < EDGE_PX) | (pixels > np.array(size) - EDGE_PX)
    if framing.truncated and not LEAST_LEFT <= 1 - outside.any(axis=1).mean() < 1:
        return None
    if not (framing.crop or framing.truncated) and outside.any():
        return None
    return camera


def _beyond(rules: CameraRules, rng: Rng) -> Array:
    """The part of the subject's width or height (2,) beyond an edge: below 0 left or above."""
    beyond = np.zeros(2)
    beyond[rng.integers(2)] = rng.choice([-1.0, 1.0]) * draw(rng, rules.truncated)
    return beyond


def _pixels(plain: Camera, lens: Lens, points: Array) -> Array:
    """Pixels of points through a lens; of those too far aside for it, as through a pinhole: they
    are outside the picture either way."""
    pixels = plain.project(points)
    if lens.distortion is None:
        return pixels
    bent = lens.on(plain).project(points)
    return np.where(np.isfinite(bent), bent, pixels)


def _way_out_m(start: Array, direction: Array, room: Array) -> float:
    """Distance from a point to the walls of a box along a direction, both in x, z."""
    with np.errstate(divide="ignore"):
        walls = np.where(direction > 0, room[1] - start, room[0] - start) / direction
    return float(np.min(np.where(direction == 0, np.inf, walls)))


def _nearest_thing_m(position: Array, place: Place, bodies: list[Array]) -> float:
    """Distance to the nearest obstacle or skin."""
    nearest = min(float(np.sqrt(((body - position) ** 2).sum(1).min())) for body in bodies)
    if len(place.obstacles):
        outside = np.maximum(place.obstacles[:, 0] - position, position - place.obstacles[:, 1])
        nearest = min(nearest, float(np.linalg.norm(np.maximum(outside, 0), axis=1).min()))
    return nearest


def behind_things(position: Array, body: Array, obstacles: Array) -> bool:
    """Whether an obstacle's box stands on the way from a camera to any part of a person."""
    return bool(screened(position, body[:: max(1, len(body) // 40)], obstacles).any())


def _looming(camera: Camera, others: list[Array]) -> bool:
    """Whether another person fills the foreground, or stands half behind the camera in view."""
    size = np.array([camera.width, camera.height])
    for body in others:
        pixels = camera.project(body)
        ahead = camera.to_camera(body)[:, 2] > 0
        inside = ((pixels >= 0) & (pixels < size)).all(axis=1)
        known = np.isfinite(pixels).all(axis=1)
        if inside.any() and (not ahead.all() or coverage(pixels[known], size) > LARGEST_OTHER):
            return True
    return False


def _covered(camera: Camera, bodies: list[Array]) -> float:
    """Share of the first person's points that lie behind another person, on a coarse grid."""
    cells = 48
    scale = cells / max(camera.width, camera.height)
    depth = np.full((cells + 1, cells + 1), np.inf)

    def grid(points: Array) -> tuple[Array, Array]:
        pixels = np.clip(np.nan_to_num(camera.project(points) * scale, nan=-1), -1, cells).astype(
            int
        )
        return pixels, camera.to_camera(points)[:, 2]

    for body in bodies[1:]:
        pixels, z = grid(body)
        seen = (pixels >= 0).all(axis=1) & (z > 0)
        np.minimum.at(depth, tuple(pixels[seen].T), z[seen])
    pixels, z = grid(bodies[0])
    hidden = (pixels >= 0).all(axis=1) & (depth[tuple(np.maximum(pixels, 0).T)] < z - 0.1)
    return float(hidden.mean())
