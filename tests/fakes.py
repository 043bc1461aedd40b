"""Fake people made of balls, and a renderer that draws balls: exact, fast, and free of every extra.

The balls sit on the bodies of the project's own model, so joints, keypoints and coordinates are
real; only flesh and light are simple.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.camera import look_at
from spinetrack_synth.dataset import DatasetConfig
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.rendering import Quality
from spinetrack_synth.scenes.optics import Lens
from spinetrack_synth.shot import Ambient, Film, Frame, Material, PosedPerson, Shot, Surface
from spinetrack_synth.skeleton import NAMES

# Between which markers a body's balls are strung, how many there are, and how thick.
_LIMBS = {
    "femur": ("hip", "knee", 7, 0.07),
    "tibia": ("knee", "ankle", 7, 0.05),
    "calcn": ("heel", "big_toe", 5, 0.03),
    "humerus": ("shoulder", "elbow", 6, 0.05),
    "ulna": ("elbow", "wrist", 6, 0.04),
}


@cache
def model() -> Tree:
    return load_model(fullbody_path())


def make_balls(centers: ArrayLike, radii: ArrayLike, key: str = "balls") -> Surface:
    """Balls packed into a surface: centres as vertices, radii as the first uv."""
    centers = np.asarray(centers, np.float32).reshape(-1, 3)
    uv = np.zeros((len(centers), 2), np.float32)
    uv[:, 0] = radii
    return Surface(key, centers, np.zeros((0, 3), np.int32), uv, Material((0.8, 0.6, 0.5)))


def ball_person(subject: str = "ball-0", **coordinates: float) -> PosedPerson:
    """Somebody in the anatomical position but for the named coordinates (rad, m)."""
    tree = model()
    q = tree.default_coordinates.copy()
    for name, value in coordinates.items():
        q[tree.coordinate_index[name]] = value
    return standing_person(body_transforms(tree, q), subject, q)


def standing_person(
    body2world: NDArray[np.float64],
    subject: str,
    q: NDArray[np.float64] | None = None,
    trunk_m: float = 0.12,
) -> PosedPerson:
    """Somebody whose bodies have these frames (B, 4, 4), with a trunk of that radius."""
    tree = model()
    frames = body2world[tree.marker_body]
    there = np.einsum("mij,mj->mi", frames[:, :3, :3], tree.marker_offset_m) + frames[:, :3, 3]
    markers = dict(zip(tree.marker_names, there))
    centers, radii, bodies = [], [], []
    for body in tree.bodies:
        stem, _, side = body.partition("_")
        origin = body2world[tree.body_index[body]][:3, 3]
        if stem in _LIMBS:
            start, end, count, radius = _LIMBS[stem]
            prefix = {"r": "right_", "l": "left_"}[side]
            line = np.linspace(markers[prefix + start], markers[prefix + end], count)
        elif body == "skull":
            line, radius = (markers["head"] + markers["neck_03"])[None] / 2, 0.10
        elif body == "pelvis" or body[0] in "LT":
            line, radius = origin[None], trunk_m
        elif body[0] == "C":
            line, radius = origin[None], 0.06
        else:
            continue
        centers.append(line)
        radii += [radius] * len(line)
        bodies += [tree.body_index[body]] * len(line)
    balls = make_balls(np.concatenate(centers), radii, key=subject)
    directions = _sphere(200)
    skin = balls.vertices_world[:, None] + np.array(radii)[:, None, None] * directions
    return PosedPerson(
        subject_id=subject,
        pose="tadasana",
        coordinates=tree.default_coordinates if q is None else q,
        scale_factors=np.ones((len(tree.bodies), 3)),
        body2world=body2world,
        keypoints_world=np.array([markers[name] for name in NAMES]),
        skin_world=skin.reshape(-1, 3).astype(np.float32),
        skin_body=np.repeat(bodies, len(directions)).astype(np.int32),
        surfaces=(balls,),
    )


def _sphere(count: int) -> NDArray[np.float64]:
    """Directions spread evenly (a Fibonacci lattice)."""
    k = np.arange(count) + 0.5
    polar, azimuth = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    return np.stack(
        [np.cos(azimuth) * np.sin(polar), np.cos(polar), np.sin(azimuth) * np.sin(polar)], axis=-1
    )


def ball_shot(
    *people: PosedPerson,
    camera_at: ArrayLike = (4.0, 1.2, 0.0),
    target: ArrayLike = (0.0, 0.9, 0.0),
    focal_px: float = 260.0,
    size: tuple[int, int] = (160, 240),
    things: tuple[Surface, ...] = (),
    index: int = 0,
    seed: int = 0,
) -> Shot:
    """A shot of some people from the front."""
    width, height = size
    return Shot(
        index=index,
        seed=seed,
        scene="balls",
        place="nowhere",
        camera=look_at(camera_at, target, focal_px=focal_px, width=width, height=height),
        people=people,
        surroundings=things,
        lights=(Ambient((1.0, 1.0, 1.0)),),
    )


class BallRenderer:
    """Draws shots of balls exactly; counts what it has drawn."""

    lanes = 1
    ahead = 0
    provenance: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.drawn = 0
        self.closed = False

    def render(self, shot: Shot, *, quality: Quality = Quality.NORMAL) -> Frame:
        self.drawn += 1
        camera = shot.camera
        things = [(0, thing) for thing in shot.surroundings]
        things += [(k, s) for k, person in enumerate(shot.people, start=1) for s in person.surfaces]
        ids = np.concatenate([[k] * len(thing.uv) for k, thing in things])
        centers = np.concatenate([camera.to_camera(thing.vertices_world) for _, thing in things])
        radii = np.concatenate([thing.uv[:, 0] for _, thing in things])

        u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
        rays = camera.rays(np.stack([u, v], axis=-1)).reshape(-1, 3)
        # |s ray - c|^2 = r^2, s is the depth since rays have z = 1.
        met = []
        for start in range(0, len(rays), 512):  # few at a time, which fit into the cache
            few = rays[start : start + 512]
            a = (few**2).sum(-1)
            b = few @ centers.T
            discriminant = b**2 - a[:, None] * ((centers**2).sum(-1) - radii**2)
            row, column = np.nonzero(discriminant > 0)
            root = np.sqrt(discriminant[row, column])
            met.append((start + row, column, (b[row, column] - root) / a[row]))
        pixel, ball, depth = map(np.concatenate, zip(*met))
        before = np.flatnonzero(depth > 0)
        order = before[np.lexsort((depth[before], pixel[before]))]
        hit, first = np.unique(pixel[order], return_index=True)
        nearest = order[first]
        size = camera.height, camera.width
        shade, shown = np.full(size, 60, np.uint8), np.zeros(size, np.uint8)
        depth_m = np.full(size, np.inf, np.float32)
        shade.flat[hit] = (255 - 40 * depth[nearest]).clip(0, 255).astype(np.uint8)
        shown.flat[hit] = ids[ball[nearest]]
        depth_m.flat[hit] = depth[nearest]
        return Frame(np.repeat(shade[..., None], 3, axis=-1), shown, depth_m)

    def close(self) -> None:
        self.closed = True


def ball_source(config: DatasetConfig):
    """Shots of one to three ball people, a pure function of seed and index."""

    def shot_at(index: int) -> Shot:
        rng = np.random.default_rng([config.seed, index])
        people = [
            ball_person(
                f"ball-{config.seed}-{rng.integers(4)}",
                pelvis_tz=float(x + rng.uniform(-0.1, 0.1)),
                pelvis_rotation=float(rng.uniform(-3, 3)),
                hip_flexion_r=float(rng.uniform(0, 1.5)),
                arm_flex_l=float(rng.uniform(0, 2.5)),
                lumbar_extension=float(rng.uniform(-0.6, 0.3)),
            )
            for x in np.linspace(-0.7, 0.7, rng.integers(1, 4))
        ]
        return ball_shot(*people, size=config.size, focal_px=120, index=index, seed=config.seed)

    return shot_at


BENT = Lens(Distortion(k1=-0.1, k2=0.02, p1=0.002), f_number=2.0)
FILM = Film(iso=800, temperature_stops=0.2, vignetting_stops=0.7, jpeg_quality=70)


def bent_source(config: DatasetConfig):
    """Ball people; the second picture by a pinhole without film, the others closer, by a lens."""
    plain = ball_source(config)

    def shot_at(index: int):
        shot = plain(index)
        if index == 1:
            return shot
        near = replace(shot.camera, K=shot.camera.K * [[3, 3, 1], [3, 3, 1], [1, 1, 1]])
        camera = BENT.focused(BENT.on(near), shot.people[0])
        return replace(shot, camera=camera, film=FILM, exposure=0.5)

    return shot_at
