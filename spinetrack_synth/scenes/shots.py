"""A shot from a scene description, a seed and an index: place, people, light and camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np

from spinetrack_synth.camera import Camera
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.poses.library import Pose
from spinetrack_synth.rotations import yaw_xz
from spinetrack_synth.scenes import mats
from spinetrack_synth.scenes.closeness import painted_for
from spinetrack_synth.scenes.description import PeopleRules, Scene
from spinetrack_synth.scenes.faces import draw_intents, with_faces
from spinetrack_synth.scenes.lighting import AFTER_SUNSET, draw, light_up
from spinetrack_synth.scenes.mesh_props import MeshProp, furnished, out_of_place
from spinetrack_synth.scenes.optics import draw_optics
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.places import PLACES, place
from spinetrack_synth.scenes.placing import Cast, Footprint, Placed, gather, pick
from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.scenes.shutters import draw_shutter
from spinetrack_synth.scenes.things import thing_surfaces
from spinetrack_synth.scenes.viewpoints import find_view
from spinetrack_synth.scenes.views import further_views
from spinetrack_synth.shot import PosedPerson, Shot, Thing

DRAWS: Final = 40
"""Arrangements of people tried before a shot is given up."""

_STREAM: Final = 0x5CE
_VIEWS: Final = 0x5CE71
"""Further cameras have a stream of their own: they change nothing of the first picture."""


# Long, for it draws in one order whatever a shot depends on: that order is the shot.
def make_shot(
    scene: Scene,
    seed: int,
    index: int,
    cast: Cast,
    size: tuple[int, int] = (640, 480),
    subjects: tuple[int, int] = (1, 3),
    performances: tuple[Performance, ...] = (),
    props: tuple[MeshProp, ...] = (),
    views: int = 1,
    act: Callable[[Placed, Place], Placed | None] = lambda placed, place: placed,
    suits: Callable[[Pose], bool] = lambda pose: True,
    here: Place | None = None,
) -> Shot:
    """Shot ``index`` of a seed: a pure function of its arguments.

    ``size`` (width, height) px; ``subjects`` the fewest and most people;
    ``performances`` the scene's motions, which take the place of its poses; ``props`` its things
    from files; ``views`` the number of cameras, all but one of them in ``Shot.further``. ``act``
    may have the people do something where they were set down; None sets them down anew;
    ``suits`` tells which poses may be taken; ``here`` stands in for the scene's places. Raises
    UserError where the scene has no weight for such a number of people, the cast is too small or a
    thing fits nowhere.
    """
    counts = people_counts(scene, subjects)
    rng = np.random.default_rng([seed, index, _STREAM])
    where = pick(rng, scene.places)
    variant = int(rng.integers(PLACES[where].variants))
    chance = np.array(list(counts.values()))
    count = int(rng.choice(list(counts), p=chance / chance.sum()))
    present = cast.present(index, count, scene.people.spines, scene.people.clothes)
    if count > present.size:
        raise UserError(f"{count} people in a picture need a cast of as many, not {present.size}")
    surroundings, variant = _furnished(here or where, variant, props)
    lights, light = light_up(surroundings, scene.light, rng)
    views_rng = np.random.default_rng([seed, index, _VIEWS])
    exposure = 2.0 ** draw(rng, scene.light.exposure_stops) * AFTER_SUNSET.get(light, 1.0)
    size, lens, film = draw_optics(scene, seed, index, size)
    for _ in range(DRAWS):
        chosen = [int(k) for k in rng.choice(present.size, count, replace=False)]
        placed = gather(
            surroundings, present, chosen, scene.poses, scene.people, rng, performances, suits
        )
        placed = placed and act(placed, surroundings)
        if placed is None:
            continue
        seen_by = partial(find_view, placed.people, surroundings, scene.camera, size)
        cameras = _cameras(
            placed,
            partial(seen_by, rng, lens, placed.things),
            partial(seen_by, views_rng, lens, placed.things),
            views,
        )
        if cameras is None:
            continue
        things = (
            *_mats(placed, rng),
            *_gear(placed, props, scene.people, rng),
            *placed.things,
        )
        lying = (surface for thing in things for surface in thing_surfaces(thing))
        return Shot(
            index=index,
            seed=seed,
            scene=scene.name,
            place=surroundings.name,
            camera=lens.focused(cameras[0], placed.people[0]),
            people=_finished(placed, cameras, seed, index, present.changing),
            surroundings=(*surroundings.surfaces, *lying),
            lights=lights,
            exposure=exposure,
            things=(*(prop.thing for prop in props), *things),
            variant=variant,
            light=light,
            further=tuple(lens.focused(view, placed.people[0]) for view in cameras[1:]),
            film=film,
            shutter=draw_shutter(scene.camera, seed, index, placed.stances, cameras),
        )
    raise UserError(
        f"scene {scene.name!r}, seed {seed}, index {index}: {DRAWS} arrangements of {count} people "
        f"found no {f'{views} cameras that keep' if views > 1 else 'camera that keeps'} the rules; "
        f"{'take fewer --views or ' if views > 1 else ''}widen the ranges of [camera]"
        + (" or move the things of [[props]] aside" if props else "")
    )


def _finished(
    placed: Placed, cameras: Sequence[Camera], seed: int, index: int, changing: bool
) -> tuple[PosedPerson, ...]:
    """The people as their faces are in this shot, painted as finely as it shows; those who stand
    in for others, or without looks, as they are."""
    if any(person.face is None for person in placed.people):
        return placed.people
    avatars = [stance.avatar for stance in placed.stances]
    people = painted_for(avatars, placed.people, cameras)
    if not changing:
        return people
    intents = draw_intents(avatars, people, cameras[0], seed, index)
    return with_faces(avatars, people, cameras[0], intents)


def _cameras(
    placed: Placed,
    find_first: Callable[[], Camera | None],
    find_further: Callable[..., Camera | None],
    views: int,
) -> tuple[Camera, ...] | None:
    """So many cameras that see the people, the first of them as if it were alone; None where they
    were not found."""
    first = find_first()
    if first is None:
        return None
    middle = placed.people[0].skin_world.mean(axis=0)
    further = further_views(first, middle, views, find_further)
    return None if further is None else (first, *further)


def people_counts(scene: Scene, subjects: tuple[int, int]) -> dict[int, float]:
    """The weights of the numbers of people that a scene and the fewest and most wanted both allow.

    Raises UserError where there are none.
    """
    counts = {n: w for n, w in scene.people.count.items() if subjects[0] <= n <= subjects[1]}
    if not counts:
        known = ", ".join(str(n) for n in scene.people.count)
        raise UserError(
            f"subjects {subjects[0]}-{subjects[1]}: "
            f"scene {scene.name!r} has pictures of {known} people"
        )
    return counts


def _furnished(where: str | Place, variant: int, props: tuple[MeshProp, ...]) -> tuple[Place, int]:
    """The place with the things in it, in the first variant from the given one that has room.

    Raises UserError, with the thing, where none has.
    """
    if isinstance(where, Place):
        return furnished(where, props), where.variant
    count = PLACES[where].variants
    for step in range(count):
        number = (variant + step) % count
        here = place(where, number)
        misplaced = out_of_place(here, props)
        if misplaced is None:
            return furnished(here, props), number
    assert misplaced is not None
    (low_x, _, low_z), (high_x, _, high_z) = misplaced.box
    (x0, _, z0), (x1, _, z1) = here.camera_room
    raise UserError(
        f"thing {misplaced.thing.asset.removeprefix('prop/')!r} takes x {low_x:.2f} to "
        f"{high_x:.2f}, z {low_z:.2f} to {high_z:.2f} m: in a wall or in furniture of every "
        f"{where}, which is free within about x {x0:.1f} to {x1:.1f}, z {z0:.1f} to {z1:.1f}; "
        "change its position_m"
    )


def _mats(placed: Placed, rng: Rng) -> list[Thing]:
    """The people's mats, no two of one style."""
    there = [mat for mat in placed.mats if mat is not None]
    styles = rng.choice(mats.STYLES, len(there), replace=False)
    return [mats.mat_thing(int(style), mat) for style, mat in zip(styles, there)]


def _gear(placed: Placed, props: tuple[MeshProp, ...], rules: PeopleRules, rng: Rng) -> list[Thing]:
    """A thing or two beside some of the mats, where nobody and nothing is."""
    things: list[Thing] = []
    others = (*placed.footprints, *(prop.footprint for prop in props))
    used: set[tuple[str, int]] = set()
    for mat in filter(None, placed.mats):
        wanted = rng.random() < rules.props
        for _ in range(int(rng.integers(1, 3))):
            kind = mats.GEAR[int(rng.integers(len(mats.GEAR)))]
            style = int(rng.integers(mats.GEAR_STYLES))
            along, beside = rng.uniform(-0.5, 0.5), rng.choice([-1.0, 1.0])
            heading = mat.heading_rad + rng.normal(0, 0.25)
            local = np.array([along * mat.length_m, beside * (mat.width_m / 2 + 0.3)])
            spot = mat.center + yaw_xz(mat.heading_rad) @ local
            reach = 0.36 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
            taken = Footprint.of(spot + reach)
            free = all(taken.clear_of(other, 0.02) for other in others)
            if wanted and free and (kind, style) not in used:
                used.add((kind, style))
                things.append(mats.gear_thing(kind, style, spot, heading))
    return things
