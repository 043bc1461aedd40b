"""Constraints and closed loops: held by our fit, at no larger a marker error than OpenSim's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osim_models import Reference, body, joint, model, offset_frame

from spinetrack_synth.anatomy.ik import solve
from spinetrack_synth.anatomy.kinematics import (
    all_coordinates,
    body_transforms,
    constraint_errors,
    marker_positions,
)
from spinetrack_synth.anatomy.model import load_model
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.opensim_tool import ToolInput, run_tool

HELD = 1e-8
NOISE_M = 0.004

LINKS = ("upper", "middle", "lower")


def chain(first: str = "PinJoint", second: str = "UniversalJoint", third: str = "BallJoint") -> str:
    """Ground, upper, middle and lower in a row, .4 m long each."""
    joints, parent = "", "/ground"
    for kind, name in zip((first, second, third), LINKS):
        count = {"PinJoint": 1, "UniversalJoint": 2, "BallJoint": 3}[kind]
        frames = offset_frame("near", parent, "0 -0.4 0" if joints else "0.1 1 0.2", "0 0 0")
        joints += joint(kind, name, "near", f"/bodyset/{name}", count).replace(
            "</socket_child_frame>", f"</socket_child_frame><frames>{frames}</frames>"
        )
        parent = f"/bodyset/{name}"
    return joints


def constraint(kind: str, inner: str) -> str:
    return f'<{kind} name="tie"><isEnforced>true</isEnforced>{inner}</{kind}>'


def coupler(name: str, driven: str, drivers: str, function: str) -> str:
    return (
        f'<CoordinateCouplerConstraint name="{name}">'
        f"<coupled_coordinates_function>{function}</coupled_coordinates_function>"
        f"<independent_coordinate_names>{drivers}</independent_coordinate_names>"
        f"<dependent_coordinate_name>{driven}</dependent_coordinate_name>"
        "</CoordinateCouplerConstraint>"
    )


def line(*coefficients: float) -> str:
    written = " ".join(map(str, coefficients))
    return f"<LinearFunction><coefficients>{written}</coefficients></LinearFunction>"


POINT = (
    "<socket_body_1>/ground</socket_body_1><socket_body_2>/bodyset/lower</socket_body_2>"
    "<location_body_1>0.25 0.2 0.3</location_body_1><location_body_2>0 -0.4 0</location_body_2>"
)
ROD = (
    "<socket_body_1>/bodyset/upper</socket_body_1><socket_body_2>/bodyset/lower</socket_body_2>"
    "<location_body_1>0.1 0 0</location_body_1><location_body_2>0 -0.4 0.05</location_body_2>"
    "<constant_distance>0.7</constant_distance>"
)
LINE = (
    "<socket_line_body>/bodyset/upper</socket_line_body>"
    "<socket_follower_body>/bodyset/lower</socket_follower_body>"
    "<line_direction_vec>1 2 -0.5</line_direction_vec><point_on_line>0.2 -0.5 0</point_on_line>"
    "<point_on_follower>0 -0.3 0.05</point_on_follower>"
)


def ends(place: str, turn: str = "0 0 0") -> str:
    """A frame on the ground where the chain ends with all its coordinates .3, and its own end."""
    near = offset_frame("near", "/ground", place, turn)
    return f"<frames>{near}{offset_frame('far', '/bodyset/lower', '0 -0.4 0', '0 0 0')}</frames>"


WELD = "<socket_frame1>near</socket_frame1><socket_frame2>far</socket_frame2>" + ends(
    "0.5005 0.3462 -0.6033", "0.7285 1.0710 0.7285"
)
TWO_OF_ONE = coupler("once", "lower_0", "upper_0", line(0.5, 0.1)) + coupler(
    "twice", "lower_0", "middle_0", line(-0.4, 0.2)
)
CIRCLE = coupler("there", "lower_0", "lower_1", line(0.5, 0.2)) + coupler(
    "back", "lower_1", "lower_0", line(0.3, -0.1)
)
SURFACE = coupler(
    "surface", "lower_0", "upper_0 middle_0",
    "<MultivariatePolynomialFunction><coefficients>0.1 0.2 -0.3 0.4 0.25 -0.2</coefficients>"
    "<dimension>2</dimension><order>2</order></MultivariatePolynomialFunction>",
)  # fmt: skip
IN_A_ROW = coupler(
    "curve", "middle_0", "upper_0",
    "<SimmSpline><x>-2 -0.5 0.3 1 2</x><y>0.1 0.2 -0.1 0.3 0.2</y></SimmSpline>",
) + coupler("after", "lower_0", "middle_0", line(-1.5, 0.2))  # fmt: skip

CASES = {
    "point": (chain(), constraint("PointConstraint", POINT)),
    "rod": (chain(), constraint("ConstantDistanceConstraint", ROD)),
    "point on line": (chain(), constraint("PointOnLineConstraint", LINE)),
    "weld": (chain("BallJoint", "BallJoint", "BallJoint"), constraint("WeldConstraint", WELD)),
    "loop": (
        chain("BallJoint", "BallJoint", "PinJoint")
        + joint(
            "BallJoint",
            "bar",
            "near",
            "far",
            3,
            ends("0.6056 0.2755 -0.5249", "0.4198 0.2590 0.5411"),
        ),
        "",
    ),
    "two couplers of one": (chain(), TWO_OF_ONE),
    "couplers in a circle": (chain(), CIRCLE),
    "coupler of two": (chain(), SURFACE),
    "coupler of one that could be more": (
        chain(),
        coupler(
            "ascending",
            "lower_0",
            "upper_0",
            "<MultivariatePolynomialFunction><coefficients>0.1 0.4 -0.3</coefficients>"
            "<dimension>1</dimension><order>2</order></MultivariatePolynomialFunction>",
        ),
    ),
    "locked and coupled to two": (
        chain().replace(
            '"lower_0">', '"lower_0"><locked>true</locked><default_value>0.2</default_value>'
        ),
        SURFACE,
    ),
    "line after curve": (chain(), IN_A_ROW),
}
FOLLOWED = ("coupler of two", "coupler of one that could be more", "line after curve")
"""What needs no ties: everything follows the free coordinates."""


@pytest.fixture(params=CASES)
def case(request, tmp_path) -> tuple[str, Path]:
    joints, constraints = CASES[request.param]
    bodies = "".join(map(body, LINKS))
    return request.param, model(tmp_path / "m.osim", bodies, joints, constraints, markers=LINKS)


def poses(tree, reference, rng, count: int) -> np.ndarray:
    """Coordinates (count, n) at which OpenSim holds the model together, near one another."""
    wave = rng.uniform(-0.3, 0.3, (3, len(tree.coordinates)))
    found = []
    for t in np.linspace(0, 1, count):
        wanted = 0.3 + 0.2 * wave[0] + 0.5 * t * wave[1] + 0.2 * np.sin(3 * t) * wave[2]
        found.append(reference.assembled(wanted))
    return np.array(found)


def test_what_opensim_assembles_holds_here_too(case):
    name, path = case
    tree, reference = load_model(path), Reference(path)
    assert reference.coordinates == list(tree.coordinates)
    real = [b for i, b in enumerate(tree.bodies) if tree.stands_for[i] == i]
    rows = [tree.bodies.index(b) for b in real]
    for q in poses(tree, reference, np.random.default_rng(1), 5):
        reference.pose(q)
        frames = body_transforms(tree, q)[rows]
        np.testing.assert_allclose(frames, reference.bodies(real), rtol=0, atol=1e-9)
        if name in FOLLOWED:
            followed = all_coordinates(tree, q[tree.free_index])
            np.testing.assert_allclose(followed, q, atol=1e-5)
        else:
            errors = constraint_errors(tree, q[None])
            assert errors and max(e[0] for e in errors.values()) < 1e-5
            off = constraint_errors(tree, q[None] + 0.05)
            assert max(e[0] for e in off.values()) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("noise_m", [0.0, NOISE_M])
def test_markers_are_met_no_worse_than_by_opensim(case, noise_m):
    _, path = case
    tree, reference = load_model(path), Reference(path)
    rng = np.random.default_rng(2)
    true = poses(tree, reference, rng, 12)
    measured = np.array([marker_positions(tree, q) for q in true])
    measured += rng.normal(0, noise_m, measured.shape)
    names, times_s = tree.marker_names, np.arange(len(true)) / 100
    ours = solve(tree, names, measured, prior_m=0.0)
    for error in constraint_errors(tree, ours.coordinates).values():
        assert error.max() < HELD
    if noise_m == 0:
        assert ours.marker_error_m.max() < 2e-5  # OpenSim assembles to 1e-5
        return
    found = run_tool(
        ToolInput(path, tree, MarkerMotion(names, times_s, measured), dict.fromkeys(names, 1.0))
    )
    theirs = np.array([marker_positions(tree, q) for q in found.values])
    theirs_m2 = np.mean(np.sum((theirs - measured) ** 2, axis=2), axis=1)
    ours_m2 = np.mean(ours.marker_error_m**2, axis=1)
    assert np.all(ours_m2 <= theirs_m2 * (1 + 1e-3))


def test_points_of_constraints_move_with_their_bodies_in_scaling(tmp_path):
    joints, constraints = CASES["point"]
    path = model(tmp_path / "m.osim", "".join(map(body, LINKS)), joints, constraints, LINKS)
    tree = load_model(path)
    scaled = scale_tree(tree, np.tile([1.0, 1.5, 1.0], (3, 1)))
    assert scaled.ties[0].point_b == pytest.approx((0.0, -0.6, 0.0))
    assert scaled.ties[0].point_a == tree.ties[0].point_a  # ground


def test_frames_of_stations_equal_opensims(tmp_path):
    rng = np.random.default_rng(6)

    def station(name: str) -> str:
        place = " ".join(f"{x:.3f}" for x in rng.uniform(-1, 1, 3))
        kind = "Marker" if name == "o" else "Station"
        return (
            f'<{kind} name="{name}"><socket_parent_frame>..</socket_parent_frame>'
            f"<location>{place}</location></{kind}>"
        )

    def frame(name: str, along: str, normal: str) -> str:
        points = "".join(
            f"<socket_{key}>../{key[-1] if key != 'origin_point' else 'o'}</socket_{key}>"
            for key in ("point_a", "point_b", "point_c", "origin_point")
        )
        return (
            f'<StationDefinedFrame name="{name}"><ab_axis>{along}</ab_axis>'
            f"<ab_x_ac_axis>{normal}</ab_x_ac_axis>{points}</StationDefinedFrame>"
        )

    frames = {"f": ("+x", "+y"), "g": ("-z", "+x"), "h": ("+y", "-z")}
    inner = "".join(frame(n, *axes) for n, axes in frames.items())
    bones = body("bone", inner + "".join(map(station, "abco"))) + body("tip")
    joints = joint("PinJoint", "j", "/ground", "/bodyset/bone", 1)
    joints += joint("PinJoint", "k", "/bodyset/bone/h", "/bodyset/tip", 1)
    path = model(tmp_path / "m.osim", bones, joints, markers=("bone", "tip"))
    tree, reference = load_model(path), Reference(path)
    q = np.array([0.4, -0.7])
    reference.pose(q)
    np.testing.assert_allclose(marker_positions(tree, q), reference.markers(), atol=1e-9)
    assert {"bone/f", "bone/g", "bone/h"} <= set(tree.frame_names)
