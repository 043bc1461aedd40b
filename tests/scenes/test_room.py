import numpy as np
import pytest

from spinetrack_synth.scenes.place import bounds, placed
from spinetrack_synth.scenes.places.room import Room, Window, clear_floor, evenly, storeys
from spinetrack_synth.scenes.props import sports
from spinetrack_synth.scenes.shapes import box

AREA = np.array([[-3.0, -2.0], [3.0, 2.0]])


def boxes(*extents):
    return np.array(extents, float).reshape(-1, 2, 3)


def test_a_floor_without_obstacles_stays_whole():
    np.testing.assert_array_equal(clear_floor(AREA, boxes()), AREA)


def test_a_floor_is_cut_back_at_the_side_where_that_costs_least():
    left = clear_floor(AREA, boxes([[2.0, 0, -0.5], [2.5, 1, 0.5]]))
    np.testing.assert_allclose(left, [[-3, -2], [1.95, 2]])
    left = clear_floor(AREA, boxes([[-2.0, 0, -1.8], [2.0, 1, -1.5]]))
    np.testing.assert_allclose(left, [[-3, -1.45], [3, 2]])


def test_no_obstacle_is_left_on_a_floor():
    rng = np.random.default_rng(0)
    for _ in range(50):
        corner = rng.uniform([-4, 0, -3], [4, 0, 3], (6, 3))
        extents = np.stack([corner, corner + rng.uniform(0.1, 1.0, (6, 3))], 1)
        low, high = clear_floor(AREA, extents)
        flat = extents[:, :, [0, 2]]
        assert not ((flat[:, 0] < high) & (flat[:, 1] > low)).all(axis=1).any()
        assert (low >= AREA[0]).all()
        assert (high <= AREA[1]).all()


def test_what_bears_something_wide_is_narrow_below():
    mast = (
        ("metal", box((0.1, 3.0, 0.1), (0, 1.5, 0))),
        ("metal", box((2.0, 0.2, 2.0), (0, 2.9, 0))),
    )
    found = storeys(mast)
    for extent in found:
        wide = np.ptp(extent[:, 0])
        assert wide == pytest.approx(2.0 if extent[1, 1] > 2.8 else 0.1, abs=0.02)
    assert min(extent[0, 1] for extent in found) == pytest.approx(0)


def test_storeys_hold_all_of_a_thing():
    hoop = sports.hoop()
    points = np.concatenate([mesh.vertices for _, mesh in hoop])
    found = np.array(storeys(hoop))
    inside = (points[:, None] >= found[:, 0] - 1e-9) & (points[:, None] <= found[:, 1] + 1e-9)
    assert inside.all(axis=2).any(axis=1).all()


@pytest.mark.parametrize("number", range(4))
def test_things_stand_along_walls_inside_the_room(number):
    room = Room(6.0, 4.0, 2.6)
    thing = (("wood", box((1.0, 0.5, 0.4), (0, 0.25, 0))),)
    low, high = bounds(room.at_wall(number, thing, 1.5, 0.2))
    np.testing.assert_allclose(low[1], 0, atol=1e-9)
    # Its back touches the wall.
    reach = np.array([3.0, 2.0])
    gaps = np.concatenate([low[[0, 2]] + reach, reach - high[[0, 2]]])
    assert gaps.min() == pytest.approx(0, abs=1e-9)
    assert (gaps >= -1e-9).all()


def test_panes_close_the_openings_and_shine_inwards():
    room = Room(6.0, 4.0, 2.6)
    parts, panes = room.shell(windows={1: [Window(1.0, 2.0, 0.8, 2.0)], 2: [Window(2, 4, 1, 2)]})
    assert {name for name, _ in parts} >= {"floor", "ceiling", "wall", "trim", "frame"}
    areas = sorted(
        4 * np.linalg.norm(p.half_u_world) * np.linalg.norm(p.half_v_world) for p in panes
    )
    np.testing.assert_allclose(areas, [1.2, 2.0])
    for pane in panes:
        inwards = np.cross(pane.half_u_world, pane.half_v_world)
        assert inwards @ (np.array([1, 0, 1]) * pane.center_world) < 0


def test_windows_stand_evenly_and_do_not_meet():
    made = evenly(np.random.default_rng(1), 10.0, 0.8, 2.0, 4, 3.0)
    assert len(made) == 4
    for left, right in zip(made, made[1:]):
        assert right.low - left.high > 0.25
    assert made[0].low > 0
    assert made[-1].high < 10


def test_props_stay_where_they_are_put():
    thing = placed((("wood", box((1, 1, 1), (0, 0.5, 0))),), (2, 0, 3), yaw=0.3)
    assert bounds(thing)[0, 1] == pytest.approx(0)
