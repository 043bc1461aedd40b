"""Coordinates that cannot move: locked, prescribed, or coupled to such; compared with OpenSim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.ik import solve
from spinetrack_synth.anatomy.kinematics import coordinates_from, marker_positions
from spinetrack_synth.anatomy.model import load_model
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion

CURVE = "<SimmSpline><x>-1 0 1 2</x><y>0 0.5 0.9 1</y></SimmSpline>"
LOCKED = "<locked>true</locked><default_value>{}</default_value>"


def constant(value: float) -> str:
    return f"<Constant><value>{value}</value></Constant>"


def line(*coefficients: float) -> str:
    written = " ".join(map(str, coefficients))
    return f"<LinearFunction><coefficients>{written}</coefficients></LinearFunction>"


def prescribed(function: str, more: str = "") -> str:
    return (
        f"<prescribed>true</prescribed><prescribed_function>{function}</prescribed_function>{more}"
    )


def coupler(driven: str, drivers: str, function: str, name: str = "coupler") -> str:
    return (
        f'<CoordinateCouplerConstraint name="{name}">'
        f"<coupled_coordinates_function>{function}</coupled_coordinates_function>"
        f"<independent_coordinate_names>{drivers}</independent_coordinate_names>"
        f"<dependent_coordinate_name>{driven}</dependent_coordinate_name>"
        "</CoordinateCouplerConstraint>"
    )


def write_arm(path: Path, constraints: str = "", **settings: str) -> Path:
    """Three links in a row that turn about z by the coordinates a, b, c; a marker on the floor.

    Frames hang on one another, the outer ones first in the file; the hand carries a plate with a
    knob on it.
    """

    def frame(name: str, parent: str, place: str, turn: str, more: str = "") -> str:
        return (
            f'<PhysicalOffsetFrame name="{name}"><socket_parent>{parent}</socket_parent>'
            f"<translation>{place}</translation><orientation>{turn}</orientation>{more}"
            "</PhysicalOffsetFrame>"
        )

    knob = frame("knob", "..", "0.02 0 0.03", "0.4 0.1 0")
    plate = frame("plate", "..", "0 -0.1 0.05", "0 0.3 0.2", f"<components>{knob}</components>")
    bodies = joints = markers = ""
    parent = "/ground"
    for link, coordinate in zip(("upper", "lower", "hand"), "abc"):
        body = f"/bodyset/{link}"
        bodies += (
            f'<Body name="{link}"><components>{plate if link == "hand" else ""}</components>'
            "<mass>1</mass><inertia>1 1 1 0 0 0</inertia></Body>"
        )
        joints += (
            f'<PinJoint name="{link}_joint"><socket_parent_frame>end</socket_parent_frame>'
            "<socket_child_frame>begin</socket_child_frame><coordinates>"
            f'<Coordinate name="{coordinate}">{settings.get(coordinate, "")}</Coordinate>'
            f"</coordinates><frames>{frame('end', '../stub', '0 -0.2 0', '0 0.1 0')}"
            f"{frame('stub', parent, '0.01 -0.1 0', '0.1 0 0')}"
            f"{frame('begin', body, '0 0 0', '0 0 0')}</frames></PinJoint>"
        )
        for i, place in enumerate(("0.1 -0.2 0.05", "-0.1 0 -0.03", "0.05 0.1 0.1")):
            markers += (
                f'<Marker name="{link}{i}"><socket_parent_frame>{body}</socket_parent_frame>'
                f"<location>{place}</location></Marker>"
            )
        parent = body
    markers += (
        '<Marker name="knob"><socket_parent_frame>/bodyset/hand/plate/knob</socket_parent_frame>'
        "<location>0.01 0.02 0.03</location></Marker>"
        '<Marker name="floor"><socket_parent_frame>/ground</socket_parent_frame>'
        "<location>0.2 0.1 0.3</location></Marker>"
    )
    path.write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><Model name="arm">'
        f'<BodySet name="bodyset"><objects>{bodies}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{joints}</objects></JointSet>'
        f'<ConstraintSet name="constraintset"><objects>{constraints}</objects></ConstraintSet>'
        f'<MarkerSet name="markerset"><objects>{markers}</objects></MarkerSet>'
        "</Model></OpenSimDocument>"
    )
    return path


def recording(folder: Path, frames: int = 9) -> MarkerMotion:
    """The markers of an arm that nothing holds."""
    tree = load_model(write_arm(folder / "loose.osim"))
    times = np.linspace(0, 2, frames)
    q = np.stack([0.5 * np.sin(times) + 0.3, -0.4 * np.cos(times), 0.3 * times], axis=1)
    return MarkerMotion(
        tree.marker_names, times, np.array([marker_positions(tree, row) for row in q])
    )


HELD = {
    "nothing": {},
    "prescribed": {"b": prescribed(constant(0.7))},
    "prescribed, whatever the default": {
        "b": prescribed(constant(0.7), "<default_value>0.2</default_value>")
    },
    "prescribed and free to satisfy constraints": {
        "b": prescribed(
            constant(0.7),
            "<is_free_to_satisfy_constraints>true</is_free_to_satisfy_constraints>",
        )
    },
    "prescribed and clamped": {
        "b": prescribed(constant(0.7), "<range>-1 1</range><clamped>true</clamped>")
    },
    "prescribed and locked": {"b": prescribed(constant(0.7), LOCKED.format(0.7))},
    "prescribed by a level line": {"b": prescribed(line(0, 0.7))},
    "prescribed driver": {"a": prescribed(constant(0.4)), "constraints": coupler("b", "a", CURVE)},
    "prescribed without a function": {
        "b": "<prescribed>true</prescribed><prescribed_function/>"
    },
    "function that is not in force": {
        "b": prescribed(line(2, 1)).replace("true", "false"),
    },
    "locked beyond the range": {"b": LOCKED.format(0.9) + "<range>-0.5 0.5</range>"},
    "locked driver": {"a": LOCKED.format(0.3), "constraints": coupler("b", "a", line(0.5, 0.1))},
    "locked driven": {"b": LOCKED.format(0.3), "constraints": coupler("b", "a", line(0.5, 0.1))},
    "locked driven by a curve": {"b": LOCKED.format(0.4), "constraints": coupler("b", "a", CURVE)},
    "clamped driven by a curve": {
        "b": "<default_value>0.5</default_value><range>0.45 0.55</range><clamped>true</clamped>",
        "constraints": coupler("b", "a", CURVE),
    },
    "coupler that is not enforced": {
        "constraints": coupler("b", "a", line(0.5, 0.1)).replace(
            "</CoordinateCoupler", "<isEnforced>false</isEnforced></CoordinateCoupler"
        )
    },
    "coupler with a flag of before OpenSim 4": {
        "constraints": coupler("b", "a", line(0.5, 0.1)).replace(
            "</CoordinateCoupler", "<isDisabled>true</isDisabled></CoordinateCoupler"
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("settings", HELD.values(), ids=HELD.keys())
def test_held_as_opensim_holds(tmp_path, settings):
    opensim = pytest.importorskip("opensim", reason="needs the extra [opensim]")
    from spinetrack_synth.motion.opensim_tool import ToolInput, run_tool

    path, markers = write_arm(tmp_path / "arm.osim", **settings), recording(tmp_path)
    tree = load_model(path)
    model = opensim.Model(str(path))
    state = model.initSystem()
    names = [model.getCoordinateSet().get(i).getName() for i in range(3)]
    assert names == list(tree.coordinates)
    theirs = [model.getCoordinateSet().get(i).getValue(state) for i in range(3)]
    np.testing.assert_allclose(tree.default_coordinates, theirs, atol=1e-6)
    model.realizePosition(state)
    for i, ours in enumerate(marker_positions(tree, theirs)):
        at = model.getMarkerSet().get(i).getLocationInGround(state)
        np.testing.assert_allclose(ours, [at.get(k) for k in range(3)], atol=1e-9)

    weights = dict.fromkeys(markers.names, 1.0)
    found = solve(tree, markers.names, markers.positions_m, weights=weights, prior_m=0)
    reference = run_tool(ToolInput(path, tree, markers, weights))
    # OpenSim's angles may be many turns away, and its optimum is a loose one.
    apart = found.coordinates - reference.values
    apart -= 2 * np.pi * np.round(apart / (2 * np.pi))
    np.testing.assert_allclose(apart, 0, atol=3e-3)


def test_a_model_that_opensim_refuses_is_an_error_of_the_user(tmp_path):
    pytest.importorskip("opensim", reason="needs the extra [opensim]")
    from spinetrack_synth.motion.opensim_tool import ToolInput, run_tool

    outside = "<default_value>0.9</default_value><range>-0.5 0.5</range><clamped>true</clamped>"
    path, markers = write_arm(tmp_path / "arm.osim", b=outside), recording(tmp_path)
    tree = load_model(path)
    weights = dict.fromkeys(markers.names, 1.0)
    with pytest.raises(UserError, match="greater than range maximum"):
        run_tool(ToolInput(path, tree, markers, weights))
    # Ours begins within the range.
    found = solve(tree, markers.names, markers.positions_m)
    np.testing.assert_allclose(found.marker_error_m, 0, atol=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        line(0.4, 0.1),
        CURVE,
        "<PiecewiseLinearFunction><x>0 1</x><y>0 1</y></PiecewiseLinearFunction>",
        "<Sine><amplitude>1</amplitude></Sine>",
    ],
)
def test_motion_prescribed_over_time_is_named_and_refused(tmp_path, function):
    path = write_arm(tmp_path / "arm.osim", b=prescribed(function))
    kind = function[1 : function.index(">")]
    with pytest.raises(UserError, match=f"coordinate b is prescribed over time by a {kind}"):
        load_model(path)


@pytest.mark.parametrize(
    "function",
    [
        "<PiecewiseLinearFunction><x>0 1 3</x><y>0.7 0.7 0.7</y></PiecewiseLinearFunction>",
        "<SimmSpline><x>0 1 2 4 5</x><y>0.7 0.7 0.7 0.7 0.7</y></SimmSpline>",
        f"<MultiplierFunction><function>{constant(0.35)}</function><scale>2</scale>"
        "</MultiplierFunction>",
    ],
)
def test_functions_that_stay_the_same_are_constants(tmp_path, function):
    tree = load_model(write_arm(tmp_path / "arm.osim", b=prescribed(function)))
    assert tree.free == ("a", "c")
    np.testing.assert_allclose(tree.default_coordinates, [0, 0.7, 0])
    with pytest.raises(UserError, match="locked in the model arm, or held"):
        coordinates_from(tree, {"b": 0.1})


def test_a_lock_goes_through_couplers_both_ways(tmp_path):
    chain = coupler("b", "a", line(0.5, 0.1)) + coupler("c", "b", line(2, -0.5), "second")
    for locked, value in (("a", 0.6), ("b", 0.4), ("c", 0.3)):
        settings = {locked: LOCKED.format(value)}
        tree = load_model(write_arm(tmp_path / "arm.osim", chain, **settings))
        assert tree.free == ()
        np.testing.assert_allclose(tree.default_coordinates, [0.6, 0.4, 0.3])
    both = coupler("c", "a b", line(2, -1, 0.2))
    held = {"b": LOCKED.format(0.3), "c": LOCKED.format(0.5)}
    tree = load_model(write_arm(tmp_path / "arm.osim", both, **held))
    np.testing.assert_allclose(tree.default_coordinates, [0.3, 0.3, 0.5])


def test_a_driver_without_effect_stays_free(tmp_path):
    level = coupler("b", "a", line(0, 0.4))
    for settings in ({}, {"b": LOCKED.format(0.4)}):
        tree = load_model(write_arm(tmp_path / "arm.osim", level, **settings))
        assert tree.free == ("a", "c")
        np.testing.assert_allclose(tree.default_coordinates, [0, 0.4, 0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"b": prescribed(constant(0.7), LOCKED.format(0.2))},
            "b is locked at 0.2 and prescribed to be 0.7",
        ),
        (
            {
                "a": LOCKED.format(0.6),
                "b": LOCKED.format(0.5),
                "constraints": coupler("b", "a", line(0.5, 0.1)),
            },
            "b is held at 0.5, but its coupler to a, held as well, makes it 0.4",
        ),
        (
            {
                "b": LOCKED.format(-3),
                "constraints": coupler(
                    "b",
                    "a",
                    "<PolynomialFunction><coefficients>1 0 0</coefficients></PolynomialFunction>",
                ),
            },
            "b is held at -3, which its coupler to a never makes it",
        ),
    ],
)
def test_contradictions_are_named(tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        load_model(write_arm(tmp_path / "arm.osim", **settings))


def test_a_frame_that_shows_the_floor_alone_repeats_its_predecessor(tmp_path):
    markers = recording(tmp_path)
    tree = load_model(write_arm(tmp_path / "arm.osim"))
    seen = markers.positions_m.copy()
    seen[4, [name != "floor" for name in markers.names]] = np.nan
    found = solve(tree, markers.names, seen)
    np.testing.assert_array_equal(found.coordinates[4], found.coordinates[3])
    np.testing.assert_allclose(np.nan_to_num(found.marker_error_m), 0, atol=1e-6)
    assert np.isnan(found.objective[4]) and np.isfinite(np.delete(found.objective, 4)).all()
