"""Models as people write them by hand: read as OpenSim reads them, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import Run
from osim_models import Reference, body, joint, model

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import GROUND, load_model
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.skeletons import own_skeletons, recognise
from spinetrack_synth.motion.trc import write_trc

LINE = '<LinearFunction name="function"><coefficients>1 0</coefficients></LinearFunction>'
AXES = {
    **{f"rotation{k}": axis for k, axis in enumerate(("1 0 0", "0 1 0", "0 0 1"), 1)},
    **{f"translation{k}": axis for k, axis in enumerate(("1 0 0", "0 1 0", "0 0 1"), 1)},
}
NAMES = tuple(AXES)


def custom(function: str = LINE, axes: tuple[str, ...] = NAMES, axis: str = "1 0 0") -> str:
    """A CustomJoint of six coordinates called as its axes; ``function`` and ``axis`` of the first
    rotation, the axes in the order given."""
    coordinates = "".join(f'<Coordinate name="q_{name}"/>' for name in NAMES)
    listed = "".join(
        f'<TransformAxis name="{name}"><coordinates>q_{name}</coordinates>'
        f"<axis>{axis if name == 'rotation1' else AXES.get(name, '1 0 0')}</axis>"
        f"{function if name == 'rotation1' else LINE}</TransformAxis>"
        for name in axes
    )
    return (
        '<CustomJoint name="j"><socket_parent_frame>/ground</socket_parent_frame>'
        "<socket_child_frame>/bodyset/a</socket_child_frame>"
        f"<coordinates>{coordinates}</coordinates>"
        f"<SpatialTransform>{listed}</SpatialTransform></CustomJoint>"
    )


def bare(kind: str, inside: str = "") -> str:
    return (
        f'<{kind} name="j"><socket_parent_frame>/ground</socket_parent_frame>'
        f"<socket_child_frame>/bodyset/a</socket_child_frame>{inside}</{kind}>"
    )


def pin(limits: str) -> str:
    return joint("PinJoint", "j", "/ground", "/bodyset/a", ("q",), limits=limits)


def without_name(function: str) -> str:
    return function.replace(' name="function"', "")


CONSTANT = "<Constant><value>0.5</value></Constant>"
STEP = (
    '<StepFunction name="function"><transition_start_time>1</transition_start_time>'
    "<transition_end_time>-1</transition_end_time><end_value>0.7</end_value></StepFunction>"
)
KNOTS = "<x>-1 -0.4 0 0.3 2</x><y>0.1 0.2 0.4 0.3 0.2</y>"


@pytest.mark.parametrize(
    "joints",
    [
        pytest.param(custom(axes=NAMES[::-1]), id="axes in another order"),
        pytest.param(custom(without_name(LINE)), id="a function without a name"),
        pytest.param(custom(CONSTANT + without_name(LINE)), id="the first of two"),
        pytest.param(custom(LINE.replace('"function"', '"other"')), id="called otherwise"),
        pytest.param(custom(STEP), id="a step that comes down"),
        pytest.param(custom('<StepFunction name="function"/>'), id="a step of no numbers"),
        pytest.param(
            custom(f'<GCVSpline name="function"><half_order>1</half_order>{KNOTS}</GCVSpline>'),
            id="a spline of half order 1",
        ),
        *(
            pytest.param(bare(kind), id=f"{kind} without coordinates")
            for kind in ("PinJoint", "UniversalJoint", "PlanarJoint", "FreeJoint")
        ),
    ],
)
def test_sparse_and_shuffled_joints_are_read_as_opensim_reads_them(
    tmp_path: Path, joints: str
) -> None:
    path = model(tmp_path / "m.osim", body("a"), joints, markers=["a"])
    reference, tree = Reference(path), load_model(path)
    assert list(tree.coordinates) == reference.coordinates
    assert list(tree.motion_type) == reference.motion_types
    rng = np.random.default_rng(2)
    for _ in range(3):
        reference.assert_puts_alike(tree, rng.uniform(-1, 1, len(tree.coordinates)))


@pytest.mark.parametrize("word", ["1", "0", "True", "false", "yes", ""])
def test_flags_are_read_as_opensim_reads_them(tmp_path: Path, word: str) -> None:
    limits = f"<range>-2 2</range><clamped>{word}</clamped><locked>{word}</locked>"
    coupler = (
        f'<CoordinateCouplerConstraint name="c"><isEnforced>{word}</isEnforced>'
        "<coupled_coordinates_function><LinearFunction><coefficients>2 0.1</coefficients>"
        "</LinearFunction></coupled_coordinates_function>"
        "<independent_coordinate_names>q</independent_coordinate_names>"
        "<dependent_coordinate_name>p</dependent_coordinate_name></CoordinateCouplerConstraint>"
    )
    more = joint("PinJoint", "k", "/bodyset/a", "/bodyset/b", ("p",))
    path = model(tmp_path / "m.osim", body("a") + body("b"), pin(limits) + more, coupler)
    reference, tree = Reference(path), load_model(path)
    theirs = reference.model.getCoordinateSet()
    q, p = theirs.get("q"), theirs.get("p")
    assert tree.clamped[0] == q.getClamped(reference.state)
    assert ("q" in tree.free) != q.getLocked(reference.state)
    held = q.getLocked(reference.state) and p.isDependent(reference.state)
    assert ("p" in tree.free) != (held or p.isDependent(reference.state))


def spline(x: str, y: str = "1 2 3", kind: str = "SimmSpline") -> str:
    return custom(f'<{kind} name="function"><x>{x}</x><y>{y}</y></{kind}>')


@pytest.mark.parametrize(
    ("joints", "message"),
    [
        (pin("<range>-1,1</range>"), "Coordinate q: range '-1,1' is no number"),
        (pin("<range>-1 1 2</range>"), "Coordinate q: range holds 3 numbers, expected 2"),
        (pin("<range>2 -2</range>"), "coordinate q: range 2 to -2"),
        (pin("<default_value>0,5</default_value>"), "default_value '0,5' is no number"),
        (pin("<default_value>nan</default_value>"), "default_value nan: mend the numbers"),
        (custom(axis="0 1"), "joint j: TransformAxis rotation1: axis holds 2 numbers"),
        (custom(axis="0 0 0"), "joint j rotation1: its axis has no direction"),
        (custom(axes=("rotation1", "rotation1")), "joint j has two axes called rotation1"),
        (custom(axes=("turn",)), "joint j has an axis 'turn', expected rotation1"),
        (custom().replace(">q_rotation1<", ">q_zz<"), "its coordinate q_zz is not the joint's"),
        (spline("0 1 1"), "SimmSpline whose x do not ascend"),
        (spline("0 1"), "SimmSpline of 2 x and 3 y"),
        (spline("", "", "PiecewiseLinearFunction"), "PiecewiseLinearFunction of 0 x and 0 y"),
        (spline("0 one 2"), "SimmSpline function: x '0 one 2' is no number"),
        (custom('<PolynomialFunction name="function"/>'), "PolynomialFunction is not supported"),
        (bare("EllipsoidJoint"), "joint j has no numbers for its radii_x_y_z"),
        (
            bare("UniversalJoint", '<coordinates><Coordinate name="q"/></coordinates>'),
            "joint j has 1 coordinates, expected 2 of a UniversalJoint",
        ),
    ],
)
def test_damaged_joints_are_told_in_one_line(tmp_path: Path, joints: str, message: str) -> None:
    path = model(tmp_path / "m.osim", body("a"), joints)
    with pytest.raises(UserError) as told:
        load_model(path)
    assert message in str(told.value) and str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_bodies_and_constraints_that_cannot_be_meant_are_told(tmp_path: Path) -> None:
    joints = pin("")
    twice = model(tmp_path / "twice.osim", body("a") + body("a"), joints)
    with pytest.raises(UserError, match="two bodies are called a"):
        load_model(twice)
    line = (
        '<PointOnLineConstraint name="c"><socket_line_body>/bodyset/a</socket_line_body>'
        "<socket_follower_body>/ground</socket_follower_body>"
        "<line_direction_vec>0 0 0</line_direction_vec></PointOnLineConstraint>"
    )
    with pytest.raises(UserError, match="constraint c: its line has no direction"):
        load_model(model(tmp_path / "line.osim", body("a"), joints, line))
    circle = (
        '<CoordinateCouplerConstraint name="c"><coupled_coordinates_function><LinearFunction/>'
        "</coupled_coordinates_function><independent_coordinate_names>q"
        "</independent_coordinate_names><dependent_coordinate_name>q</dependent_coordinate_name>"
        "</CoordinateCouplerConstraint>"
    )
    with pytest.raises(UserError, match="coupler c: couples q to itself"):
        load_model(model(tmp_path / "circle.osim", body("a"), joints, circle))


def closed_at_ground(path: Path) -> Path:
    """Two pins in a row, of which the second body stands on ground again, and a third body."""
    joints = (
        joint("PinJoint", "j", "/ground", "/bodyset/a", ("q",))
        + joint("PinJoint", "k", "/bodyset/a", "/bodyset/b", ("p",))
        + joint("FreeJoint", "l", "/bodyset/b", "/ground", 6, frames=True)
        + joint("PinJoint", "m", "/bodyset/b", "/bodyset/c", ("r",))
    )
    return model(path, body("a") + body("b") + body("c"), joints, markers=["a", "b", "c"])


def test_ground_keeps_its_size_where_a_loop_closes_at_it(tmp_path: Path) -> None:
    tree = load_model(closed_at_ground(tmp_path / "loop.osim"))
    (again,) = np.flatnonzero(tree.stands_for == GROUND)
    assert again < len(tree.bodies) - 1
    factors = np.ones((len(tree.bodies), 3))
    factors[-1] = 2.0
    scaled = scale_tree(tree, factors)
    np.testing.assert_allclose(
        scaled.chain.child_in_joint[again], tree.chain.child_in_joint[again], rtol=0, atol=1e-15
    )


def test_a_loop_that_closes_at_ground_is_checked_by_opensim(tmp_path: Path, run: Run) -> None:
    pytest.importorskip("opensim", reason="needs the extra [opensim]")
    tree = load_model(path := closed_at_ground(tmp_path / "loop.osim"))
    places = np.repeat(marker_positions(tree, tree.default_coordinates)[None], 3, axis=0)
    write_trc(trial := tmp_path / "a.trc", MarkerMotion(tree.marker_names, np.arange(3.0), places))
    done = run(
        "ik", "--model", path, "--markers", trial, "--check", "2", "--out", tmp_path / "a.mot"
    )
    assert done.code == 0 and "read back by OpenSim" in done.out


@pytest.mark.parametrize("limits", ["<locked>true</locked>", None])
def test_a_model_that_cannot_move_is_told(tmp_path: Path, run: Run, limits: str | None) -> None:
    joints = bare("WeldJoint") if limits is None else pin(limits)
    path = model(tmp_path / "stiff.osim", body("a"), joints, markers=["a"])
    tree = load_model(path)
    places = np.repeat(marker_positions(tree, tree.default_coordinates)[None], 3, axis=0)
    write_trc(trial := tmp_path / "a.trc", MarkerMotion(tree.marker_names, np.arange(3.0), places))
    code, _, err = run("ik", "--model", path, "--markers", trial, "--out", tmp_path / "a.mot")
    assert code == 2 and "nothing in it moves" in err


def test_a_model_without_markers_recognises_none(tmp_path: Path) -> None:
    tree = load_model(model(tmp_path / "bare.osim", body("a"), pin("")))
    assert recognise(("a_0", "a_1"), own_skeletons(tree)) is None
