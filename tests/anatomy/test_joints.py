"""Joints that move by functions of several coordinates, against OpenSim's kinematics."""

from __future__ import annotations

import numpy as np
import pytest
from osim_models import Reference, body, joint, model, scale_factors

from spinetrack_synth.anatomy.ik import solve
from spinetrack_synth.anatomy.kinematics import (
    all_coordinates,
    body_transforms,
    marker_positions,
    point_jacobian,
)
from spinetrack_synth.anatomy.model import load_model
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.opensim_tool import ToolInput, run_tool

SCAPULA = (
    "<thoracic_ellipsoid_radii_x_y_z>0.07 0.15 0.09</thoracic_ellipsoid_radii_x_y_z>"
    "<scapula_winging_axis_origin>0.02 -0.03</scapula_winging_axis_origin>"
    "<scapula_winging_axis_direction>0.4</scapula_winging_axis_direction>"
)
ARC = "<neutral_angle_x_z_y>0.2 -0.3 0.1</neutral_angle_x_z_y><length>0.4</length>"


def axis(name: str, coordinates: str, direction: str, function: str, inner: str) -> str:
    return (
        f'<TransformAxis name="{name}"><coordinates>{coordinates}</coordinates>'
        f'<axis>{direction}</axis><{function} name="function">{inner}</{function}></TransformAxis>'
    )


def polynomial(dimension: int, order: int, coefficients: str) -> str:
    return (
        f"<coefficients>{coefficients}</coefficients><dimension>{dimension}</dimension>"
        f"<order>{order}</order>"
    )


SEVERAL = "<SpatialTransform>" + "".join(
    [
        axis("rotation1", "bend", "0 0 1", "LinearFunction", "<coefficients>1 0</coefficients>"),
        axis(
            "rotation2", "lean", "1 0 0", "Sine",
            "<amplitude>0.7</amplitude><omega>1.3</omega><phase>0.2</phase><offset>0.1</offset>",
        ),
        axis(
            "rotation3", "bend lean", "0 1 0", "MultivariatePolynomialFunction",
            polynomial(2, 3, "0.1 0.2 -0.3 0.05 0.4 0.1 -0.2 0.3 0.1 -0.1"),
        ),
        axis(
            "translation1", "bend lean", "0.6 0.8 0", "MultivariatePolynomialFunction",
            polynomial(2, 1, "0.01 0.02 -0.03"),
        ),
        axis(
            "translation2", "lean", "0 1 0", "GCVSpline",
            "<half_order>3</half_order><x>-1 -0.5 0 0.3 0.7 1 1.4</x>"
            "<y>0 0.02 0.03 -0.01 0.02 0.01 0.03</y>",
        ),
        axis(
            "translation3", "bend", "0 0 1", "MultiplierFunction",
            "<function><StepFunction><transition_start_time>-0.5</transition_start_time>"
            "<transition_end_time>0.8</transition_end_time><start_value>0.01</start_value>"
            "<end_value>0.05</end_value></StepFunction></function><scale>1.5</scale>",
        ),
    ]
) + "</SpatialTransform>"  # fmt: skip

KINDS = {
    "EllipsoidJoint": (3, "<radii_x_y_z>0.07 0.15 0.09</radii_x_y_z>"),
    "ScapulothoracicJoint": (4, SCAPULA),
    "ConstantCurvatureJoint": (3, ARC),
    "CustomJoint": (("bend", "lean"), SEVERAL),
}


@pytest.fixture(params=[(kind, turned) for kind in KINDS for turned in (False, True)], ids=str)
def path(request, tmp_path):
    """A bone on each kind of joint, on a carried bone and with turned frames, and one beyond it."""
    kind, turned = request.param
    if turned and kind == "ScapulothoracicJoint":
        pytest.skip("OpenSim crashes on one that is turned round")
    names, properties = KINDS[kind]
    bodies = body("base") + body("bone") + body("tip")
    joints = joint("FreeJoint", "carrier", "/ground", "/bodyset/base", 6)
    ends = ("/bodyset/bone", "/bodyset/base") if turned else ("/bodyset/base", "/bodyset/bone")
    joints += joint(
        kind, "kind", *ends, names, properties, frames=True,
        limits="<range>-0.9 0.9</range>",
    )  # fmt: skip
    joints += joint("PinJoint", "last", "/bodyset/bone", "/bodyset/tip", 1)
    return model(tmp_path / "kind.osim", bodies, joints, markers=("base", "bone", "tip"))


def random_q(tree, rng) -> np.ndarray:
    return all_coordinates(tree, rng.uniform(-0.9, 0.9, len(tree.free)))


def test_bodies_and_markers_equal_opensim(path):
    tree, reference = load_model(path), Reference(path)
    assert reference.coordinates == list(tree.coordinates)
    rng = np.random.default_rng(1)
    for _ in range(25):
        q = random_q(tree, rng)
        reference.assert_puts_alike(tree, q)


def test_motion_types_equal_opensims(path):
    assert list(load_model(path).motion_type) == Reference(path).motion_types


def test_scaling_equals_opensim(path):
    tree, reference = load_model(path), Reference(path)
    rng = np.random.default_rng(2)
    factors = rng.uniform(0.7, 1.4, (len(tree.bodies), 3))
    reference.scale(scale_factors(tree.bodies, factors))
    scaled = scale_tree(tree, factors)
    for _ in range(10):
        q = random_q(tree, rng)
        reference.assert_puts_alike(scaled, q)


@pytest.mark.slow
def test_markers_are_met_no_worse_than_by_opensim(path):
    pytest.importorskip("opensim", reason="needs the extra [opensim]")
    tree = load_model(path)
    rng = np.random.default_rng(4)
    wave = rng.uniform(-0.35, 0.35, (3, len(tree.free)))
    times_s = np.arange(12) / 100
    true = [all_coordinates(tree, wave[0] + t * wave[1] + t**2 * wave[2]) for t in 4 * times_s]
    measured = np.array([marker_positions(tree, q) for q in true])
    exact = solve(tree, tree.marker_names, measured)
    assert exact.marker_error_m.max() < 1e-6
    noisy = measured + rng.normal(0, 0.003, measured.shape)
    ours = solve(tree, tree.marker_names, noisy)
    motion = MarkerMotion(tree.marker_names, times_s, noisy)
    found = run_tool(ToolInput(path, tree, motion, dict.fromkeys(tree.marker_names, 1.0)))
    theirs = np.array([marker_positions(tree, q) for q in found.values]) - noisy
    theirs_m2 = np.mean(np.sum(theirs**2, axis=2), axis=1)
    assert np.all(np.mean(ours.marker_error_m**2, axis=1) <= theirs_m2 * (1 + 1e-3))


def test_slopes_are_those_of_the_positions(path):
    tree = load_model(path)
    rng = np.random.default_rng(3)
    for _ in range(5):
        q = random_q(tree, rng)
        slopes = point_jacobian(tree, q, tree.marker_body, tree.marker_offset_m)
        for i in range(len(q)):
            h = 1e-6 * np.eye(len(q))[i]
            numeric = (marker_positions(tree, q + h) - marker_positions(tree, q - h)) / 2e-6
            np.testing.assert_allclose(slopes[:, :, i], numeric, atol=1e-7)


def test_an_axis_without_a_function_stays(tmp_path):
    axes = "".join(
        f'<TransformAxis name="{name}"><coordinates>{coordinate}</coordinates>'
        f"<axis>{direction}</axis></TransformAxis>"
        for name, coordinate, direction in (
            ("rotation1", "bend", "0 0 1"), ("rotation2", "", "1 0 0"), ("rotation3", "", "0 1 0"),
            ("translation1", "slide", "1 0 0"), ("translation2", "", "0 1 0"),
            ("translation3", "", "0 0 1"),
        )
    )  # fmt: skip
    transform = f"<SpatialTransform>{axes}</SpatialTransform>"
    joints = joint("CustomJoint", "j", "/ground", "/bodyset/bone", ("bend", "slide"), transform)
    path = model(tmp_path / "m.osim", body("bone"), joints, markers=("bone",))
    tree, reference = load_model(path), Reference(path)
    reference.pose(np.array([0.5, 0.3]))
    np.testing.assert_allclose(marker_positions(tree, [0.5, 0.3]), reference.markers(), atol=1e-9)


@pytest.mark.parametrize("turn", [0.0, 1e-9, 1e-5, 1e-3, 0.014, 0.0142, 0.3])
def test_an_arc_that_is_nearly_straight_keeps_its_length(tmp_path, turn):
    properties = "<neutral_angle_x_z_y>0 0 0</neutral_angle_x_z_y><length>0.4</length>"
    joints = joint("ConstantCurvatureJoint", "spine", "/ground", "/bodyset/bone", 3, properties)
    tree = load_model(model(tmp_path / "arc.osim", body("bone"), joints))
    end = body_transforms(tree, [turn, 0.0, 0.0])[0, :3, 3]
    expected = 0.4 * np.array(
        [0.0, np.sinc(turn / np.pi), np.sin(turn / 2) * np.sinc(turn / 2 / np.pi)]
    )
    np.testing.assert_allclose(end, expected, atol=1e-12)
    slopes = point_jacobian(tree, [turn, 0.0, 0.0], [0], [[0.0, 0.0, 0.0]])[0]
    lean = 0.2 if turn < 1e-4 else 0.4 * (turn * np.sin(turn) - 1 + np.cos(turn)) / turn**2
    assert slopes[2, 0] == pytest.approx(lean, abs=1e-6)


def test_a_polyline_may_jump(tmp_path):
    places = "<x>-1 0.1 0.1 0.8</x><y>0.1 0.3 -0.2 0.4</y>"
    transform = "<SpatialTransform>" + "".join(
        axis(name, coordinate, direction, *function)
        for name, coordinate, direction, function in (
            ("rotation1", "bend", "0 0 1", ("PiecewiseLinearFunction", places)),
            ("rotation2", "", "1 0 0", ("Constant", "<value>0</value>")),
            ("rotation3", "", "0 1 0", ("Constant", "<value>0</value>")),
            ("translation1", "", "1 0 0", ("Constant", "<value>0</value>")),
            ("translation2", "", "0 1 0", ("Constant", "<value>0</value>")),
            ("translation3", "", "0 0 1", ("Constant", "<value>0</value>")),
        )
    ) + "</SpatialTransform>"  # fmt: skip
    joints = joint("CustomJoint", "j", "/ground", "/bodyset/bone", ("bend",), transform)
    path = model(tmp_path / "m.osim", body("bone"), joints, markers=("bone",))
    tree, reference = load_model(path), Reference(path)
    for bend in (-1.4, -0.3, 0.09, 0.11, 0.5, 1.1):
        reference.assert_puts_alike(tree, np.array([bend]))
