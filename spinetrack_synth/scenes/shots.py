"""A shot from a scene description, a seed and an index: place, people, light and camera."""

from __future__ import annotations

from typing import Final

import numpy as np

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.scenes import mats
from spinetrack_synth.scenes.description import PeopleRules, Scene
from spinetrack_synth.scenes.lighting import draw, light_up
from spinetrack_synth.scenes.places import PLACES, place
from spinetrack_synth.scenes.placing import Cast, Footprint, Placed, gather, pick
from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.scenes.things import thing_surfaces
from spinetrack_synth.scenes.viewpoints import find_view
from spinetrack_synth.shot import Shot, Thing

DRAWS: Final = 40
"""Arrangements of people tried before a shot is given up."""

_STREAM: Final = 0x5CE


def make_shot(
    scene: Scene,
    seed: int,
    index: int,
    cast: Cast,
    size: tuple[int, int] = (640, 480),
    subjects: tuple[int, int] = (1, 3),
    performances: tuple[Performance, ...] = (),
) -> Shot:
    """Shot ``index`` of a seed: a pure function of its arguments.

    ``size`` (width, height) px; ``subjects`` the fewest and most people;
    ``performances`` the scene's motions, which take the place of its poses. Raises UserError where
    the scene has no weight for such a number of people or the cast is too small.
    """
    counts = {n: w for n, w in scene.people.count.items() if subjects[0] <= n <= subjects[1]}
    if not counts:
        known = ", ".join(str(n) for n in scene.people.count)
        raise UserError(
            f"subjects {subjects[0]}-{subjects[1]}: "
            f"scene {scene.name!r} has pictures of {known} people"
        )
    rng = np.random.default_rng([seed, index, _STREAM])
    where = pick(rng, scene.places)
    variant = int(rng.integers(PLACES[where].variants))
    chance = np.array(list(counts.values()))
    count = int(rng.choice(list(counts), p=chance / chance.sum()))
    if count > cast.size:
        raise UserError(f"{count} people in a picture need a cast of as many, not {cast.size}")
    surroundings = place(where, variant)
    lights, light = light_up(surroundings, scene.light, rng)
    exposure = 2.0 ** draw(rng, scene.light.exposure_stops)
    for _ in range(DRAWS):
        chosen = [int(k) for k in rng.choice(cast.size, count, replace=False)]
        placed = gather(surroundings, cast, chosen, scene.poses, scene.people, rng, performances)
        if placed is None:
            continue
        camera = find_view(placed.people, surroundings, scene.camera, size, rng, placed.things)
        if camera is None:
            continue
        things = (*_mats(placed, rng), *_gear(placed, scene.people, rng), *placed.things)
        lying = (surface for thing in things for surface in thing_surfaces(thing))
        return Shot(
            index=index,
            seed=seed,
            scene=scene.name,
            place=where,
            camera=camera,
            people=placed.people,
            surroundings=(*surroundings.surfaces, *lying),
            lights=lights,
            exposure=exposure,
            things=things,
            variant=variant,
            light=light,
        )
    raise UserError(
        f"scene {scene.name!r}, seed {seed}, index {index}: {DRAWS} arrangements of {count} people "
        "found no camera that keeps the rules; widen the ranges of [camera]"
    )


def _mats(placed: Placed, rng: Rng) -> list[Thing]:
    """The people's mats, no two of one style."""
    styles = rng.choice(mats.STYLES, len(placed.mats), replace=False)
    return [mats.mat_thing(int(style), mat) for style, mat in zip(styles, placed.mats)]


def _gear(placed: Placed, rules: PeopleRules, rng: Rng) -> list[Thing]:
    """A thing or two beside some of the mats, where nobody is."""
    things: list[Thing] = []
    used: set[tuple[str, int]] = set()
    for mat in placed.mats:
        wanted = rng.random() < rules.props
        for _ in range(int(rng.integers(1, 3))):
            kind = mats.GEAR[int(rng.integers(len(mats.GEAR)))]
            style = int(rng.integers(mats.GEAR_STYLES))
            along, beside = rng.uniform(-0.5, 0.5), rng.choice([-1.0, 1.0])
            heading = mat.heading_rad + rng.normal(0, 0.25)
            cos, sin = np.cos(mat.heading_rad), np.sin(mat.heading_rad)
            local = np.array([along * mat.length_m, beside * (mat.width_m / 2 + 0.3)])
            spot = mat.center + np.array([[cos, sin], [-sin, cos]]) @ local
            reach = 0.36 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
            taken = Footprint.of(spot + reach)
            free = all(taken.clear_of(other, 0.02) for other in placed.footprints)
            if wanted and free and (kind, style) not in used:
                used.add((kind, style))
                things.append(mats.gear_thing(kind, style, spot, heading))
    return things
