"""Units and axes found from the figure: in any unit, standing along any axis, told in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.motion.axes import METRES, Figure, Frame, Told, to_world
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.model_motion import as_bvh, marker_motion
from spinetrack_synth.motion.skeletons import known_skeletons, load_skeleton, own_skeletons
from spinetrack_synth.motion.unit_and_axis_detection import finder, landmarks, stature

Find = Callable[[Figure, Told], Frame]


@pytest.fixture(scope="module")
def find(tree: Tree) -> Find:
    return finder((*own_skeletons(tree), *known_skeletons()))


@pytest.fixture(scope="module")
def standing(tree: Tree, steps: CoordinateMotion) -> Figure:
    """The 17 points of COCO in metres, Y up."""
    markers = marker_motion(tree, steps)
    names = load_skeleton("coco17").order
    return Figure(names, markers.positions_m[:, [markers.names.index(name) for name in names]])


def moved(figure: Figure, unit: str = "m", axes: str = "y-up") -> Figure:
    """A figure as a file in another unit and axes has it."""
    back = np.linalg.inv(to_world(axes)).T / METRES[unit]
    rest = None if figure.rest is None else figure.rest @ back
    return Figure(figure.names, figure.positions @ back, rest)


def test_stature_is_that_of_the_model(tree: Tree, standing: Figure) -> None:
    places = landmarks(standing.names, load_skeleton("coco17"))
    tall = stature(standing.positions, places)
    assert tall == pytest.approx(1.7, abs=0.08)
    assert stature(1000 * standing.positions, places) == pytest.approx(1000 * tall)
    assert stature(np.full_like(standing.positions, np.nan), places) is None


@pytest.mark.parametrize("unit", [unit for unit in METRES if unit != "um"])
@pytest.mark.parametrize("axes", ["y-up", "z-up", "minus-y-up-facing-minus-z", "x-up-facing-y"])
def test_units_and_vertical_are_found_and_told(
    find: Find, standing: Figure, unit: str, axes: str
) -> None:
    frame = find(moved(standing, unit, axes), Told())
    assert frame.unit == unit
    np.testing.assert_array_equal(frame.to_world[1], to_world(axes)[1])
    said = " ".join(frame.notes)
    assert f"taken for {unit}, the figure is 1.7" in said or "the figure is 1.6" in said
    assert ("axes read as" in said) == (axes != "y-up")


def test_what_is_told_holds(find: Find, standing: Figure) -> None:
    frame = find(moved(standing, "mm", "z-up"), Told("mm", "z-up"))
    assert frame == Frame("mm", "z-up")
    wrong = find(moved(standing, "mm"), Told("m"))
    assert wrong.unit == "m"
    assert "told to be in m, the figure is 16" in wrong.notes[0]
    assert "if its numbers are mm, give --unit" in wrong.notes[0]
    small = find(moved(standing, "m"), Told("mm"))
    assert "the figure is 0.0016" in small.notes[0] or "the figure is 0.0017" in small.notes[0]


def test_a_child_is_no_other_unit(find: Find, standing: Figure) -> None:
    child = Figure(standing.names, 0.6 * standing.positions * 100)
    frame = find(child, Told(usual_unit="cm"))
    assert frame.unit == "cm"
    assert (
        "no grown person" in frame.notes[0] or "taken for cm, the figure is 1.0" in frame.notes[0]
    )


@pytest.mark.parametrize("axes", ["y-up-facing-z", "z-up-facing-minus-y", "z-up-facing-y", "y-up"])
def test_a_rig_tells_where_it_looks(
    tree: Tree, steps: CoordinateMotion, find: Find, axes: str
) -> None:
    from spinetrack_synth.motion.bvh import joint_motion

    plain = joint_motion(as_bvh(tree, steps))
    figure = Figure(plain.names, plain.positions_m, plain.rest_m)
    told = Told(usual_unit="cm", usual_axes="y-up-facing-z", axes_by_format=True)
    frame = find(moved(figure, "in", axes), told)
    assert (frame.unit, frame.axes) == ("in", axes)


def test_who_lies_is_not_stood_up(find: Find, standing: Figure) -> None:
    lying = standing.positions @ np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]).T
    lying[..., 1] -= lying[..., 1].min(axis=1, keepdims=True)  # on the floor
    lying[..., 0] -= 5.0  # away from the origin
    frame = find(Figure(standing.names, lying), Told("m"))
    assert frame.axes == "y-up"
    assert "the figure lies along" in frame.notes[0]


def test_who_is_centred_on_the_hips_stands(find: Find, standing: Figure) -> None:
    figure = moved(standing, "m", "z-up")
    hips = figure.positions[:, 11:13].mean(axis=1, keepdims=True)
    assert find(Figure(figure.names, figure.positions - hips), Told("m")).axes == "z-up"


def test_exchanged_sides_are_told(find: Find, tree: Tree, steps: CoordinateMotion) -> None:
    markers = marker_motion(tree, steps)
    names = load_skeleton("spinetrack37").order
    positions = markers.positions_m[:, [markers.names.index(name) for name in names]]
    assert find(Figure(names, positions), Told("m")).notes == ()
    mirrored = find(Figure(names, positions * [1, 1, -1]), Told("m", "y-up"))
    assert "its toes point backward" in mirrored.notes[0]


def test_points_far_away_are_told(find: Find, standing: Figure) -> None:
    positions = standing.positions.copy()
    positions[3, 2] = [1e6, 0, 0]
    assert (
        "right_eye is 1e+06 m from the middle"
        in find(Figure(standing.names, positions), Told("m")).notes[0]
    )
    positions = standing.positions.copy()
    positions[3] += [1e6, 0, 0]
    assert (
        "in frame 4 all is 1e+06 m" in find(Figure(standing.names, positions), Told("m")).notes[0]
    )


def test_unknown_names_go_by_their_extent(find: Find, standing: Figure) -> None:
    names = tuple(f"P{k}" for k in range(17))
    frame = find(Figure(names, standing.positions * 1000), Told(usual_unit="cm"))
    assert frame.unit == "mm"
    assert "in its longest extent" in frame.notes[0]
    tiny = find(Figure(names, standing.positions / 1000), Told("m"))
    assert "told to be in m, the figure is 0.0014" in tiny.notes[0]


def test_of_unknown_names_a_part_of_a_body_keeps_its_unit(find: Find, standing: Figure) -> None:
    names = tuple(f"P{k}" for k in range(17))
    hand = find(Figure(names, standing.positions * 12), Told(usual_unit="cm"))
    assert hand.unit == "cm"
    assert "which no grown person is; it would be for dm" in hand.notes[0]


def test_nothing_seen_says_nothing(find: Find, standing: Figure) -> None:
    dark = Figure(standing.names, np.full_like(standing.positions, np.nan))
    assert find(dark, Told("m")).unit == "m"
