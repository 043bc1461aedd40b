import numpy as np
import pytest

from spinetrack_synth.scenes.places import PLACES, place
from spinetrack_synth.shot import AreaLight

pytestmark = pytest.mark.slow

NAMES = tuple(PLACES)


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


def test_windows_and_lamps_shine_into_the_room():
    studio = place("studio", 0)
    assert len(studio.windows) >= 2
    for light in (*studio.windows, *studio.lamps):
        center = np.array(light.center_world)
        shining = np.cross(light.half_u_world, light.half_v_world)
        assert shining @ (np.array([0, 1.5, 0]) - center) > 0


def test_windows_and_lamps_reach_people():
    """From most of every lamp and window the way to somebody's chest is free."""
    studio = place("studio", 0)
    corners = np.concatenate([s.vertices_world[s.faces] for s in studio.surfaces])
    chest = np.array([0.1, 1.2, 0.05])
    rng = np.random.default_rng(2)
    for light in (*studio.windows, *studio.lamps):
        center, u, v = (
            np.array(x) for x in (light.center_world, light.half_u_world, light.half_v_world)
        )
        starts = center + rng.uniform(-1, 1, (20, 1)) * u + rng.uniform(-1, 1, (20, 1)) * v
        blocked = [_hits(corners, start, chest - start, before=1.0) for start in starts]
        assert np.mean(blocked) < 0.5


def test_every_view_ends_on_something(somewhere):
    """No camera ray below the horizon leaves the surroundings; indoors none at all does."""
    rng = np.random.default_rng(3)
    low, high = somewhere.camera_room
    origins = rng.uniform(low, high, (8, 3))
    origins[:, 1] = np.linspace(0.3, 2.2, 8)
    azimuth = rng.uniform(0, 2 * np.pi, (8, 12))
    # Most rays just below the horizon, where holes would be.
    depression = np.radians(np.geomspace(0.15, 40, 12)) * np.ones((8, 1))
    if somewhere.windows:
        depression[:, ::2] *= -1
    directions = np.stack(
        [
            np.cos(depression) * np.cos(azimuth),
            -np.sin(depression),
            np.cos(depression) * np.sin(azimuth),
        ],
        axis=-1,
    )
    corners = np.concatenate(
        [
            *(surface.vertices_world[surface.faces] for surface in somewhere.surfaces),
            *(_triangles(light) for light in (*somewhere.windows, *somewhere.lamps)),
        ]
    ).astype(np.float32)
    for origin, ways in zip(origins, directions):
        for way in ways:
            assert _hits(corners, origin, way), f"from {origin} along {way}"


def _triangles(light: AreaLight) -> np.ndarray:
    center, u, v = (
        np.array(x) for x in (light.center_world, light.half_u_world, light.half_v_world)
    )
    a, b, c, d = center - u - v, center + u - v, center + u + v, center - u + v
    return np.array([[a, b, c], [a, c, d]])


def _hits(corners: np.ndarray, origin: np.ndarray, way: np.ndarray, before: float = np.inf) -> bool:
    """Whether a ray meets any triangle (T, 3, 3) ``before`` so many lengths of ``way``.

    Each edge of such a triangle passes the ray on the same side.
    """
    a, b, c = (corners[:, k] - origin.astype(np.float32) for k in range(3))
    way = way.astype(np.float32)
    one, two, three = (np.cross(p, q) @ way for p, q in ((a, b), (b, c), (c, a)))
    through = ((one >= 0) & (two >= 0) & (three >= 0)) | ((one <= 0) & (two <= 0) & (three <= 0))
    facing = np.cross(b - a, c - a)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (a * facing).sum(axis=1) / (facing @ way)
    return bool((through & (distance > 1e-4) & (distance < before)).any())
