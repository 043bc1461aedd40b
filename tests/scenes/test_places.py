import numpy as np
import pytest

from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.places import PLACES, place
from spinetrack_synth.shot import AreaLight

pytestmark = pytest.mark.slow

NAMES = tuple(PLACES)
FEW_LAMPS = 16
"""So many the renderer takes without compiling another kernel."""


@pytest.fixture(params=NAMES)
def somewhere(request):
    return place(request.param, 0)


def test_a_variant_is_built_once(somewhere):
    assert place(somewhere.name, 0) is somewhere


def test_building_again_gives_the_same():
    # The smallest of the places stands for all: they share their tools.
    first, again = place("studio", 0), PLACES["studio"].build(0)
    assert [s.key for s in first.surfaces] == [s.key for s in again.surfaces]
    for one, other in zip(first.surfaces, again.surfaces):
        np.testing.assert_array_equal(one.vertices_world, other.vertices_world)
        np.testing.assert_array_equal(one.faces, other.faces)
        np.testing.assert_array_equal(one.uv, other.uv)
        np.testing.assert_array_equal(one.material.base_color, other.material.base_color)


def test_surfaces_are_sound(somewhere):
    keys = [surface.key for surface in somewhere.surfaces]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith(f"{somewhere.name}/0/") for key in keys)
    assert sum(len(surface.faces) for surface in somewhere.surfaces) < 150_000
    for surface in somewhere.surfaces:
        count = len(surface.vertices_world)
        assert surface.faces.min() >= 0
        assert surface.faces.max() < count
        assert surface.uv.shape == (count, 2)
        assert np.isfinite(surface.vertices_world).all()
        assert np.isfinite(surface.uv).all()
        assert surface.normals_world is not None
        np.testing.assert_allclose(np.linalg.norm(surface.normals_world, axis=1), 1, atol=1e-3)
        image = surface.material.base_color
        if isinstance(image, np.ndarray):
            assert image.dtype == np.uint8
            assert max(image.shape[:2]) <= 3072
            assert image.size <= 3 * 2048 * 2048
            assert 10 < image.mean() < 245


def test_nothing_stands_where_mats_lie(somewhere):
    low, high = somewhere.mat_area
    bumps = (somewhere.obstacles[:, 0][:, [0, 2]] < high) & (
        somewhere.obstacles[:, 1][:, [0, 2]] > low
    )
    assert not bumps.all(axis=1).any()


def test_only_the_floor_lies_under_the_people(somewhere):
    """No vertex of the surroundings rises above y = 0 on the free floor, and the floor is near."""
    low, high = somewhere.mat_area
    floor = []
    for surface in somewhere.surfaces:
        x, y, z = surface.vertices_world.T
        inside = (x > low[0]) & (x < high[0]) & (z > low[1]) & (z < high[1]) & (y < 2)
        assert (y[inside] < 0).all(), surface.key
        floor += y[inside].tolist()
    if floor:
        assert min(floor) > -0.05


def test_the_free_floor_lies_in_the_camera_room_and_holds_somebody(somewhere):
    low, high = somewhere.mat_area
    assert (high - low > 1.9).all()
    room = somewhere.camera_room[:, [0, 2]]
    assert (room[0] <= low).all()
    assert (high <= room[1]).all()


def test_few_lamps_keep_to_one_kernel(somewhere):
    assert len(somewhere.windows) + len(somewhere.lamps) <= FEW_LAMPS
    assert not (somewhere.outdoors and somewhere.windows)
    assert somewhere.outdoors or somewhere.lamps


def test_windows_and_lamps_shine_into_the_room(somewhere):
    """All but the windows of houses, wherever those look."""
    middle = somewhere.camera_room.mean(axis=0) * [1, 0.4, 1]
    for light in (*somewhere.windows, *somewhere.lamps):
        if max(light.radiance) < 0.2:
            continue
        center = np.array(light.center_world)
        shining = np.cross(light.half_u_world, light.half_v_world)
        assert shining @ (middle - center) > 0


@pytest.mark.parametrize("name", ["studio", "gym", "office", "living_room"])
def test_windows_and_lamps_reach_people(name):
    """From most of every lamp and window the way to somebody's chest is free."""
    here = place(name, 0)
    corners = _corners(here)
    chest = np.array([0.1, 1.2, 0.05])
    rng = np.random.default_rng(2)
    for light in (*here.windows, *here.lamps):
        center, u, v = (
            np.array(x) for x in (light.center_world, light.half_u_world, light.half_v_world)
        )
        starts = center + rng.uniform(-0.9, 0.9, (20, 1)) * u + rng.uniform(-0.9, 0.9, (20, 1)) * v
        # From the chest, and not quite as far as the lamp.
        _, where = _hits(corners, chest, 0.995 * (starts - chest), before=1.0)
        assert len(np.unique(where)) < 10, light


def test_between_two_points_of_the_camera_room_there_are_only_the_obstacles(somewhere):
    rng = np.random.default_rng(4)
    low, high = somewhere.camera_room.copy()
    if somewhere.name in ("studio", "terrace", "park"):
        low[1] = 0.35  # there, what is lower than a step counts for nothing
    corners = _corners(somewhere)
    near = (corners.min(axis=1) < high) & (corners.max(axis=1) > low)
    corners = corners[near.all(axis=1)]
    for origin in rng.uniform(low, high, (10, 3)):
        ways = rng.uniform(low, high, (30, 3)) - origin
        distance, which = _hits(corners, origin, ways, before=1.0)
        points = origin + distance[:, None] * ways[which]
        inside = (points[:, None] >= somewhere.obstacles[:, 0] - 0.01) & (
            points[:, None] <= somewhere.obstacles[:, 1] + 0.01
        )
        known = inside.all(axis=2).any(axis=1)
        assert known.all(), points[~known][:3]


def test_every_view_ends_on_something(somewhere):
    """No camera ray below the horizon leaves the surroundings; indoors none at all does."""
    rng = np.random.default_rng(3)
    low, high = somewhere.camera_room
    origins = rng.uniform(low, high, (8, 3))
    origins[:, 1] = np.linspace(max(0.3, low[1]), 2.2, 8)
    azimuth = rng.uniform(0, 2 * np.pi, (8, 12))
    # Most rays just below the horizon, where holes would be.
    depression = np.radians(np.geomspace(0.15, 40, 12)) * np.ones((8, 1))
    if not somewhere.outdoors:
        depression[:, ::2] *= -1
    directions = np.stack(
        [
            np.cos(depression) * np.cos(azimuth),
            -np.sin(depression),
            np.cos(depression) * np.sin(azimuth),
        ],
        axis=-1,
    )
    glowing = [_triangles(light) for light in (*somewhere.windows, *somewhere.lamps)]
    corners = np.concatenate([_corners(somewhere), *glowing]).astype(np.float32)
    for origin, ways in zip(origins, directions):
        _, which = _hits(corners, origin, ways)
        missed = np.setdiff1d(np.arange(len(ways)), which)
        assert not len(missed), f"from {origin} along {ways[missed]}"


def _corners(here: Place) -> np.ndarray:
    """All triangles (T, 3, 3) of a place."""
    return np.concatenate([surface.vertices_world[surface.faces] for surface in here.surfaces])


def _triangles(light: AreaLight) -> np.ndarray:
    center, u, v = (
        np.array(x) for x in (light.center_world, light.half_u_world, light.half_v_world)
    )
    a, b, c, d = center - u - v, center + u - v, center + u + v, center - u + v
    return np.array([[a, b, c], [a, c, d]])


def _hits(
    corners: np.ndarray, origin: np.ndarray, ways: np.ndarray, before: float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Where rays from a point along ways (W, 3) meet triangles (T, 3, 3): lengths of the way, less
    than ``before``, and which way each is of.

    Each edge of a triangle that is met passes the ray on the same side.
    """
    a, b, c = (corners[:, k] - origin.astype(np.float32) for k in range(3))
    ways = ways.astype(np.float32)
    one, two, three = (np.cross(p, q) @ ways.T for p, q in ((a, b), (b, c), (c, a)))
    through = ((one >= 0) & (two >= 0) & (three >= 0)) | ((one <= 0) & (two <= 0) & (three <= 0))
    triangle, which = np.nonzero(through)
    a, b, c = a[triangle], b[triangle], c[triangle]
    facing = np.cross(b - a, c - a)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (a * facing).sum(axis=1) / (facing * ways[which]).sum(axis=1)
    met = (distance > 1e-4) & (distance < before)
    return distance[met], which[met]
