"""What stands in the level, and the shot that it makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinetrack_synth.rendering.server.level import (
    Lens,
    Level,
    LevelError,
    Placement,
    placement_of,
)
from spinetrack_synth.scenes.things import ASSETS, thing_surfaces, unit_surfaces
from spinetrack_synth.shot import Thing

pytestmark = pytest.mark.slow

EMPTY = Level()


def with_cube(name: str, *location: float, level: Level = EMPTY) -> Level:
    return level.spawned("cube", "CubeActor", name, Placement(location or (0.0, 0.0, 0.0)))


def seen(level: Level, name: str) -> np.ndarray:
    """Pixels of an actor's vertices in camera 0."""
    (surface,) = level.actors[name].surfaces
    return level.view(0).staged().shot.camera.project(surface.vertices_world)


def test_an_actor_is_seen_where_unreal_would_show_it() -> None:
    level = replace(EMPTY, cameras=(Lens(location=(100, 0, 100), size=(640, 480)),))
    ahead = seen(with_cube("a", 500.0, 0.0, 100.0, level=level), "a").mean(0)
    np.testing.assert_allclose(ahead, [320, 240], atol=1)
    right = seen(with_cube("a", 500.0, 100.0, 100.0, level=level), "a").mean(0)
    assert right[0] > 380
    assert abs(right[1] - 240) < 1
    above = seen(with_cube("a", 500.0, 0.0, 200.0, level=level), "a").mean(0)
    assert above[1] < 180
    # 90 degrees span 640 px, so at 350 cm a front 100 cm wide spans 320 * 100 / 350.
    front = seen(with_cube("a", 500.0, 0.0, 100.0, level=level), "a")
    assert np.ptp(front[:, 0]) == pytest.approx(320 * 100 / 350, rel=0.01)


@settings(max_examples=25, deadline=None)  # the assets are made on the way
@given(
    st.sampled_from(ASSETS),
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.floats(-3, 3),
    st.tuples(*[st.floats(0.5, 2)] * 3),
    st.tuples(st.floats(-1.5, 1.5), st.floats(-3, 3)),
)
def test_things_lie_as_the_scene_lays_them(asset, position, yaw, scale, tilt) -> None:
    thing = Thing(asset, position, yaw, scale, *tilt)
    for unit, there in zip(unit_surfaces(asset), thing_surfaces(thing), strict=True):
        surface = placement_of(thing).applied(unit)
        np.testing.assert_allclose(surface.vertices_world, there.vertices_world, atol=2e-6)


def test_a_stretched_thing_has_normals_that_stand_on_it() -> None:
    (cube,) = with_cube("a").actors["a"].surfaces
    tilted = Placement(rotator_deg=(30.0, 20.0, 10.0), scale=(3.0, 1.0, 0.5))
    surface = tilted.applied(cube)
    corners = surface.vertices_world[surface.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = np.linalg.norm(across, axis=1) > 0.1  # the sides; edges are rounded
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    stored = surface.normals_world[surface.faces[:, 0]]
    np.testing.assert_allclose(np.abs((across * stored).sum(1))[flat], 1, atol=1e-4)


def test_colours_are_all_different_and_bright_enough() -> None:
    level = EMPTY
    for k in range(150):
        level = with_cube(f"cube{k}", level=level)
    colors = {actor.color for actor in level.actors.values()}
    assert len(colors) == 150
    assert min(min(color) for color in colors) >= 32


def test_a_view_is_what_is_shown_whatever_colours_it_has_in_masks() -> None:
    level = with_cube("b", level=with_cube("a"))
    red = level.with_actor(replace(level.actors["a"], color=(255, 0, 0)))
    assert red.view(0) == level.view(0)
    hidden = level.with_actor(replace(level.actors["a"], shown=False))
    assert hidden.view(0) != level.view(0)
    assert hidden.view(0) == level.without("a").view(0)
    moved = level.with_actor(replace(level.actors["a"], placement=Placement((1.0, 0.0, 0.0))))
    assert moved.view(0) != level.view(0)
    assert replace(level, exposure=2.0).view(0) != level.view(0)


def test_surfaces_carry_the_names_of_their_actors() -> None:
    things = (Thing("mat/2", (0, 0, 0), 0), Thing("gear/bottle/1", (1, 0, 0), 0))
    level = with_cube("box", level=EMPTY.with_things(things))
    staged = level.view(0).staged()
    bottle = len(unit_surfaces("gear/bottle/1"))
    assert staged.surface_names == ("mat_2", *["gear_bottle_1"] * bottle, "box", "")
    keys = [surface.key for surface in staged.shot.surroundings]
    assert keys[0] == "mat/2"
    assert keys[-2:] == ["cube", "ground"]


def test_a_place_takes_the_place_of_the_ground_and_of_another() -> None:
    level = EMPTY.with_place("terrace", 1)
    assert list(level.actors) == ["terrace_1"]
    assert set(level.view(0).staged().surface_names) == {"terrace_1"}
    assert level.with_place("terrace", 1) is level
    assert list(level.with_place("studio", 0).actors) == ["studio_0"]
    assert not level.actors["terrace_1"].movable


def test_things_are_replaced_and_may_come_twice() -> None:
    twice = [Thing("mat/2", (0, 0, 0), 0), Thing("mat/2", (2, 0, 0), 0)]
    level = with_cube("box").with_things(twice)
    assert list(level.actors) == ["box", "mat_2", "mat_2_"]
    assert list(level.with_things(twice[:1]).actors) == ["box", "mat_2"]
    with pytest.raises(LevelError, match="there is no thing mat/77"):
        level.with_things([Thing("mat/77", (0, 0, 0), 0)])


@pytest.mark.parametrize("name", ["", "a/b", "box"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(LevelError):
        with_cube(name, level=with_cube("box"))


def test_nobody_is_spawned_under_a_wrong_name() -> None:
    with pytest.raises(LevelError, match="there is no avatar ghost; they are named s<seed>-"):
        EMPTY.spawned("avatar", "ghost", "a", Placement())


def test_a_scenes_own_things_stand_beside_those_of_the_package() -> None:
    crate = unit_surfaces("gear/block/0")
    level = replace(EMPTY, own_things={"prop/crate": crate})
    placed = level.with_things([Thing("prop/crate", (1, 0, 2), 0.5), Thing("mat/2", (0, 0, 0), 0)])
    assert list(placed.actors) == ["prop_crate", "mat_2"]
    there = thing_surfaces(Thing("gear/block/0", (1, 0, 2), 0.5))
    for mine, other in zip(placed.actors["prop_crate"].surfaces, there, strict=True):
        np.testing.assert_allclose(mine.vertices_world, other.vertices_world, atol=1e-5)
    assert placed.view(0) == placed.view(0)
    colors = [actor.color for actor in placed.actors.values()]
    assert len(set(colors)) == 2, "each has a colour of its own in masks"
    with pytest.raises(LevelError, match="there is no thing prop/crate"):
        EMPTY.with_things([Thing("prop/crate", (0, 0, 0), 0)])
