"""Inverse kinematics: recovery, bounds, gaps, cold frames, threads, the objective, other models."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.ik import CoordinateGoal, Solution, solve
from spinetrack_synth.anatomy.ik.objective import differentiate, evaluate, make_scratch, weigh
from spinetrack_synth.anatomy.ik.problem import make_problem
from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions, point_jacobian
from spinetrack_synth.anatomy.model import Tree, load_model
from spinetrack_synth.anatomy.spine import regional_angles
from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.library import library, mirrored
from spinetrack_synth.poses.sampling import blend, pose_coordinates, sample_pose
from spinetrack_synth.skeleton import NAMES


def markers_of(tree: Tree, q: np.ndarray, names=None) -> np.ndarray:
    rows = [tree.marker_index[name] for name in names or tree.marker_names]
    return np.array([marker_positions(tree, row)[rows] for row in np.atleast_2d(q)])


def library_poses(tree: Tree, samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array(
        [
            q
            for pose in library("yoga").values()
            for twin in (pose, mirrored(pose))
            for q in (
                pose_coordinates(tree, twin),
                *(sample_pose(tree, twin, rng) for _ in range(samples)),
            )
        ]
    )


def motion(tree: Tree, frames: int) -> np.ndarray:
    poses = library("yoga")
    a, b = (pose_coordinates(tree, poses[name]) for name in ("tadasana", "virabhadrasana_2"))
    return np.array([blend(tree, a, b, s) for s in np.linspace(0.2, 0.8, frames)])


def observable(tree: Tree, q: np.ndarray, names) -> np.ndarray:
    """Free coordinates (k,) that 1 mm of error at the markers moves by less than 0.2 rad."""
    rows = [tree.marker_index[name] for name in names]
    jacobian = point_jacobian(tree, q, tree.marker_body[rows], tree.marker_offset_m[rows])
    jacobian = jacobian.reshape(-1, len(q)) @ tree.coupling
    variance = np.diag(np.linalg.inv(jacobian.T @ jacobian + 1e-10 * np.eye(jacobian.shape[1])))
    fixed = 0.001 * np.sqrt(variance) < 0.2
    # With an elbow within its 5 degrees of hyperextension, the arm turned half round and the elbow
    # bent the other way puts all markers at the same places.
    for side in "rl":
        if abs(q[tree.coordinate_index[f"elbow_flex_{side}"]]) < np.radians(5.1):
            for name in ("arm_flex", "arm_add", "arm_rot", "elbow_flex"):
                fixed[tree.free.index(f"{name}_{side}")] = False
    return fixed


def test_derivatives_equal_finite_differences(coupled: Tree) -> None:
    rng = np.random.default_rng(0)
    goals = (CoordinateGoal("knee_angle_r", 0.3, 0.2), CoordinateGoal("L3_L4_FE", 0.7, 0.1))
    weights = rng.uniform(0.5, 2, len(coupled.marker_names))
    problem = make_problem(coupled, coupled.marker_names, weights, goals, 0.02)
    scratch = make_scratch(problem)
    q = library_poses(coupled, 0)[7]
    target = markers_of(coupled, q)[0] + rng.normal(0, 0.05, (len(weights), 3))
    target[4] = np.nan
    values = np.array([0.2, 0.1])
    z = np.clip(q[coupled.free_index][problem.free] + 0.05, problem.lower, problem.upper)
    seen = weigh(problem, target, np.ones(len(weights), dtype=bool), scratch)

    def slopes(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        evaluate(problem, at, target, values, seen, scratch)
        differentiate(problem, at, target, values, seen, True, scratch)
        return scratch.gradient.copy(), np.triu(scratch.hessian)

    gradient, upper = slopes(z)
    step = 1e-6
    for column in range(len(z)):
        ahead, back = z.copy(), z.copy()
        ahead[column] += step
        back[column] -= step
        rise = (
            evaluate(problem, ahead, target, values, seen, scratch)[0]
            - evaluate(problem, back, target, values, seen, scratch)[0]
        )
        assert gradient[column] == pytest.approx(rise / (4 * step), abs=1e-8)
        bend = (slopes(ahead)[0] - slopes(back)[0]) / (2 * step)
        np.testing.assert_allclose((upper + np.triu(upper, 1).T)[column], bend, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("markers", ["all", "keypoints"])
def test_no_cold_frame_of_the_pose_library_fails(coupled: Tree, markers: str) -> None:
    names = coupled.marker_names if markers == "all" else NAMES
    q = library_poses(coupled, 0)
    found = solve(coupled, names, markers_of(coupled, q, names), cold=True)
    assert found.marker_error_m.max() < 1e-5
    for row, truth in zip(found.coordinates, q):
        fixed = observable(coupled, truth, names)
        free = coupled.free_index[fixed]
        assert fixed.sum() > 30
        apart = row[free] - truth[free]
        apart -= 2 * np.pi * np.round(apart / (2 * np.pi))
        np.testing.assert_allclose(apart, 0, atol=1e-4)


@pytest.mark.parametrize(
    "samples",
    [pytest.param(1, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.exhaustive)],
)
def test_no_cold_frame_of_sampled_poses_fails(coupled: Tree, free: Tree, samples: int) -> None:
    q = library_poses(coupled, samples, seed=3)
    sampled = np.delete(q, np.s_[:: samples + 1], axis=0)  # the library's own: the test above
    found = solve(coupled, NAMES, markers_of(coupled, sampled, NAMES), cold=True)
    assert found.marker_error_m.max() < 1e-5
    q = np.clip(q[::10], free.lower, free.upper)
    found = solve(free, free.marker_names, markers_of(free, q), cold=True)
    assert found.marker_error_m.max() < 1e-4


def test_a_motion_comes_back_and_its_spine_with_it(coupled: Tree) -> None:
    q = motion(coupled, 40)
    found = solve(coupled, NAMES, markers_of(coupled, q, NAMES))
    assert found.marker_error_m.max() < 1e-5
    for row, truth in zip(found.coordinates, q):
        there, here = (
            astuple(regional_angles(coupled, truth)),
            astuple(regional_angles(coupled, row)),
        )
        np.testing.assert_allclose(here, there, atol=0.01)


@pytest.mark.slow
def test_noise_is_spread_as_theory_says(coupled: Tree) -> None:
    """With independent noise the errors are those of the Cramer-Rao bound: no better fit exists."""
    rng = np.random.default_rng(2)
    sigma_m, frames = 0.002, 300
    truth = motion(coupled, 3)[1]
    clean = markers_of(coupled, truth)
    noisy = clean + rng.normal(0, sigma_m, (frames, *clean.shape[1:]))
    found = solve(coupled, coupled.marker_names, noisy)
    names = ("lumbar_extension", "thoracic_bending", "pelvis_tilt", "hip_flexion_r")
    jacobian = point_jacobian(coupled, truth, coupled.marker_body, coupled.marker_offset_m)
    jacobian = jacobian.reshape(-1, len(truth)) @ coupled.coupling
    bound = sigma_m * np.sqrt(np.abs(np.diag(np.linalg.pinv(jacobian.T @ jacobian, rcond=1e-10))))
    for name in names:
        spread = found.coordinates[:, coupled.coordinate_index[name]].std()
        assert spread == pytest.approx(bound[coupled.free.index(name)], rel=0.25), name


@pytest.mark.slow
def test_a_prior_holds_what_noise_leaves_open_and_only_where_it_is_asked_for(free: Tree) -> None:
    q = motion(free, 40)
    exact = markers_of(free, q)
    found = solve(free, free.marker_names, exact)
    assert found.open_coordinates == () and found.rms_m < 1e-5
    noisy = exact + np.random.default_rng(3).normal(0, 0.005, exact.shape)
    bare = solve(free, free.marker_names, noisy)
    held = solve(free, free.marker_names, noisy, prior_m=0.005)
    partly = solve(free, free.marker_names, noisy, prior_m=0.005, prior_share=0.5)
    assert 0.003 < bare.axis_error_m < 0.0055
    assert "L3_L4_LB" in bare.open_coordinates and "knee_angle_r" not in bare.open_coordinates
    assert held.open_coordinates == ()
    spine = [name for name in bare.open_coordinates if name[-3:] in ("_FE", "_LB", "_AR")]
    levels = [free.coordinate_index[name] for name in spine]

    def error(found: Solution) -> float:
        return float(np.sqrt(np.mean((found.coordinates[:, levels] - q[:, levels]) ** 2)))

    assert max(error(held), error(partly)) < 0.5 * error(bare)
    costs = [(one.marker_error_m**2).sum(axis=1) for one in (bare, partly, held)]
    assert np.all(costs[0] < costs[1]) and costs[1].mean() < costs[2].mean()


def test_leading_frames_without_markers_repeat_the_first_that_has_some(coupled: Tree) -> None:
    q = motion(coupled, 6)
    positions = markers_of(coupled, q)
    positions[:2] = np.nan
    found = solve(coupled, coupled.marker_names, positions)
    np.testing.assert_allclose(found.coordinates[:2], found.coordinates[[2, 2]], atol=1e-9)
    assert np.isnan(found.objective[:2]).all() and found.rms_m < 1e-5


def test_missing_markers_are_left_out(coupled: Tree) -> None:
    q = motion(coupled, 30)
    positions = markers_of(coupled, q)
    rng = np.random.default_rng(5)
    positions[rng.random(positions.shape[:2]) < 0.2] = np.nan
    positions[11] = np.nan
    found = solve(coupled, coupled.marker_names, positions)
    seen = np.isfinite(positions).all(axis=2)
    assert np.nanmax(found.marker_error_m) < 1e-5
    np.testing.assert_array_equal(np.isfinite(found.marker_error_m), seen)
    assert np.isnan(found.objective[11])
    np.testing.assert_array_equal(found.coordinates[11], found.coordinates[10])


def test_clamped_coordinates_stay_in_range(coupled: Tree) -> None:
    q = motion(coupled, 10)
    knee = coupled.coordinate_index["knee_angle_r"]
    q[:, knee] = coupled.lower[knee] - 0.2
    found = solve(coupled, coupled.marker_names, markers_of(coupled, q))
    at = found.coordinates[:, coupled.free_index]
    assert np.all(at >= coupled.lower[coupled.free_index] - 1e-12)
    np.testing.assert_allclose(found.coordinates[:, knee], coupled.lower[knee], atol=1e-9)


def test_threads_give_the_same_motion(coupled: Tree) -> None:
    q = motion(coupled, 700)
    rng = np.random.default_rng(4)
    positions = markers_of(coupled, q) + rng.normal(0, 0.002, (700, len(coupled.marker_names), 3))
    told: list[tuple[int, int]] = []
    one = solve(coupled, coupled.marker_names, positions, progress=lambda *at: told.append(at))
    two = solve(coupled, coupled.marker_names, positions, threads=2)
    assert told[0] == (0, 700)
    assert told[-1] == (700, 700)
    np.testing.assert_allclose(two.marker_error_m, one.marker_error_m, atol=1e-4)
    fixed = coupled.free_index[observable(coupled, q[350], coupled.marker_names)]
    np.testing.assert_allclose(two.coordinates[:, fixed], one.coordinates[:, fixed], atol=2e-3)


def test_goals_pull_and_weights_count(coupled: Tree) -> None:
    q = motion(coupled, 5)
    positions = markers_of(coupled, q)
    elbow = coupled.coordinate_index["elbow_flex_r"]
    goal = CoordinateGoal("elbow_flex_r", 1e3, q[:, elbow] + 0.3)
    pulled = solve(coupled, coupled.marker_names, positions, goals=[goal])
    np.testing.assert_allclose(pulled.coordinates[:, elbow], q[:, elbow] + 0.3, atol=1e-3)
    wrong = positions.copy()
    wrong[:, 0] += 0.3
    without = solve(coupled, coupled.marker_names, wrong, weights={"nose": 0.0})
    assert "nose" not in without.markers
    assert without.marker_error_m.max() < 1e-5


def test_nothing_to_fit_is_told(coupled: Tree) -> None:
    with pytest.raises(UserError, match=r"none of the 2 markers .*nearest: 'left_knee'"):
        solve(coupled, ["Left_knee.", "zzz"], np.zeros((1, 2, 3)))
    with pytest.raises(UserError, match="did you mean 'knee_angle_r'"):
        solve(coupled, ["nose"], np.zeros((1, 1, 3)), goals=[CoordinateGoal("knee_angel_r", 1, 0)])


# -- a leg as published models write it: a knee that glides, a patella that a curve drives ---------

_SPLINE = "<x>-2 -1.4 -0.7 0 0.2</x>"


def write_leg(path: Path) -> Path:
    """Hip with unclamped ball-like axes, gliding knee, patella coupled by a spline, locked toes."""

    def frames(parent: str, child: str, at: str) -> str:
        return (
            "<socket_parent_frame>p</socket_parent_frame><socket_child_frame>c</socket_child_frame>"
            f'<frames><PhysicalOffsetFrame name="p"><socket_parent>{parent}</socket_parent>'
            f"<translation>{at}</translation></PhysicalOffsetFrame>"
            f'<PhysicalOffsetFrame name="c"><socket_parent>/bodyset/{child}</socket_parent>'
            "</PhysicalOffsetFrame></frames>"
        )

    def axis(name: str, direction: str, coordinate: str, function: str) -> str:
        return (
            f'<TransformAxis name="{name}"><coordinates>{coordinate}</coordinates>'
            f"<axis>{direction}</axis>{function}</TransformAxis>"
        )

    line = '<LinearFunction name="function"><coefficients>1 0</coefficients></LinearFunction>'
    glide = (
        f'<SimmSpline name="function">{_SPLINE}<y>-0.01 0.002 0.006 -0.004 -0.006</y></SimmSpline>'
    )
    still = '<Constant name="function"><value>0</value></Constant>'
    rest = "".join(axis(f"translation{i}", d, "", still) for i, d in ((2, "0 1 0"), (3, "0 0 1")))

    def coordinate(name: str, span: str, extra: str = "") -> str:
        return f'<Coordinate name="{name}"><range>{span}</range>{extra}</Coordinate>'

    joints = (
        '<CustomJoint name="hip">'
        + frames("/ground", "femur", "0 0.9 0")
        + "<coordinates>"
        + "".join(coordinate(f"hip_{n}", "-3 3") for n in "zxy")
        + "</coordinates><SpatialTransform>"
        + axis("rotation1", "0 0 1", "hip_z", line)
        + axis("rotation2", "1 0 0", "hip_x", line)
        + axis("rotation3", "0 1 0", "hip_y", line)
        + "</SpatialTransform></CustomJoint>"
        '<CustomJoint name="knee">'
        + frames("/bodyset/femur", "tibia", "0 -0.4 0")
        + "<coordinates>"
        + coordinate("knee", "-2.1 0.2", "<clamped>true</clamped>")
        + "</coordinates><SpatialTransform>"
        + axis("rotation1", "0 0 1", "knee", line)
        + axis("translation1", "1 0 0", "knee", glide)
        + rest
        + "</SpatialTransform></CustomJoint>"
        '<CustomJoint name="patella">'
        + frames("/bodyset/femur", "patella", "0.04 -0.4 0")
        + "<coordinates>"
        + coordinate("beta", "-99 99")
        + "</coordinates><SpatialTransform>"
        + axis("rotation1", "0 0 1", "beta", line)
        + axis("translation1", "1 0 0", "beta", glide)
        + rest
        + "</SpatialTransform></CustomJoint>"
        '<PinJoint name="toes">'
        + frames("/bodyset/tibia", "toes", "0 -0.4 0")
        + "<coordinates>"
        + coordinate("toe", "-1 1", "<default_value>0.3</default_value><locked>true</locked>")
        + "</coordinates></PinJoint>"
    )
    bodies = "".join(
        f'<Body name="{b}"><mass>1</mass><mass_center>0 0 0</mass_center>'
        "<inertia>1 1 1 0 0 0</inertia></Body>"
        for b in ("femur", "tibia", "patella", "toes")
    )
    rng = np.random.default_rng(8)
    markers = "".join(
        f'<Marker name="{body}{i}"><socket_parent_frame>/bodyset/{body}</socket_parent_frame>'
        f"<location>{' '.join(f'{x:.3f}' for x in rng.uniform(-0.15, 0.15, 3))}</location></Marker>"
        for body in ("femur", "tibia", "patella", "toes")
        for i in range(3)
    )
    coupler = (
        '<CoordinateCouplerConstraint name="patella_knee"><coupled_coordinates_function>'
        f"<SimmSpline>{_SPLINE}<y>-1.5 -1 -0.45 0.01 0.1</y></SimmSpline>"
        "</coupled_coordinates_function><independent_coordinate_names>knee"
        "</independent_coordinate_names><dependent_coordinate_name>beta"
        "</dependent_coordinate_name></CoordinateCouplerConstraint>"
    )
    path.write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><Model name="leg">'
        f'<BodySet name="bodyset"><objects>{bodies}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{joints}</objects></JointSet>'
        f'<ConstraintSet name="constraintset"><objects>{coupler}</objects></ConstraintSet>'
        f'<MarkerSet name="markerset"><objects>{markers}</objects></MarkerSet>'
        "</Model></OpenSimDocument>"
    )
    return path


def leg_motion(tree: Tree, frames: int) -> np.ndarray:
    phase = np.linspace(0, 2 * np.pi, frames)
    rows = np.stack(
        [np.sin(phase), 0.3 * np.cos(phase), 0.2 * np.sin(2 * phase), -1 - 0.8 * np.cos(phase)], 1
    )
    assert tree.free == ("hip_z", "hip_x", "hip_y", "knee")
    return np.array([all_coordinates(tree, z) for z in rows])


def test_curved_couplers_gliding_joints_and_locks(tmp_path: Path) -> None:
    tree = load_model(write_leg(tmp_path / "leg.osim"))
    q = leg_motion(tree, 60)
    found = solve(tree, tree.marker_names, markers_of(tree, q))
    np.testing.assert_allclose(found.coordinates, q, atol=1e-6)
    assert np.all(found.coordinates[:, tree.coordinate_index["toe"]] == 0.3)


def test_unclamped_joints_turn_all_the_way_round(tmp_path: Path) -> None:
    tree = load_model(write_leg(tmp_path / "leg.osim"))
    turn = np.linspace(0, 3 * np.pi, 120)
    z = np.zeros((120, 4))
    z[:, 0], z[:, 3] = turn, -1
    q = np.array([all_coordinates(tree, row) for row in z])
    found = solve(tree, tree.marker_names, markers_of(tree, q))
    np.testing.assert_allclose(found.coordinates[:, 0], turn, atol=1e-6)


def test_a_base_that_faces_any_way_is_found(coupled: Tree) -> None:
    q = motion(coupled, 2)[:1].repeat(24, axis=0)
    rng = np.random.default_rng(1)
    for name in ("pelvis_tilt", "pelvis_list", "pelvis_rotation"):
        q[:, coupled.coordinate_index[name]] = rng.uniform(-1.4, 1.4, 24)
    q[:, coupled.coordinate_index["pelvis_rotation"]] = rng.uniform(-3, 3, 24)
    q[:, coupled.coordinate_index["pelvis_tx"]] = 4.0
    found = solve(coupled, NAMES, markers_of(coupled, q, NAMES), cold=True)
    assert found.marker_error_m.max() < 1e-5


@pytest.mark.parametrize(
    "knee", ["<clamped>true</clamped>", "<clamped>false</clamped>"], ids=["clamped", "unclamped"]
)
def test_a_limb_on_a_wall_is_found_in_any_pose(tmp_path: Path, knee: str) -> None:
    path = write_leg(tmp_path / "leg.osim")
    hip = "<range>-3 3</range><clamped>true</clamped>"
    text = path.read_text().replace("<range>-3 3</range>", hip)
    path.write_text(
        text.replace(
            "<clamped>true</clamped></Coordinate></coordinates>"
            '<SpatialTransform><TransformAxis name="rotation1"><coordinates>knee',
            knee + "</Coordinate></coordinates>"
            '<SpatialTransform><TransformAxis name="rotation1"><coordinates>knee',
        )
    )
    assert knee in path.read_text()
    tree = load_model(path)
    rng = np.random.default_rng(4)
    z = rng.uniform([-2.8, -2.8, -2.8, -2.0], [2.8, 2.8, 2.8, 0.1], (60, 4))
    q = np.array([all_coordinates(tree, row) for row in z])
    found = solve(tree, tree.marker_names, markers_of(tree, q), cold=True)
    assert found.marker_error_m.max() < 1e-5
    knee_column = tree.coordinate_index["knee"]
    np.testing.assert_allclose(found.coordinates[:, knee_column], q[:, knee_column], atol=1e-4)


@pytest.mark.slow
def test_a_base_that_meets_its_end_on_the_way_is_begun_anew(coupled: Tree) -> None:
    angles = [coupled.coordinate_index[f"pelvis_{n}"] for n in ("tilt", "list", "rotation")]
    bound = np.array([np.pi / 2, np.pi / 2, np.pi])
    lower, upper, clamped = coupled.lower.copy(), coupled.upper.copy(), coupled.clamped.copy()
    lower[angles], upper[angles], clamped[angles] = -bound, bound, True
    tree = replace(coupled, lower=lower, upper=upper, clamped=clamped)
    rng = np.random.default_rng(3)
    q = library_poses(coupled, 0)[::3]
    q[:, angles] = rng.uniform(-0.9, 0.9, (len(q), 3)) * bound
    names = tree.marker_names
    noisy = markers_of(coupled, q, names) + rng.normal(0, 0.005, (len(q), len(names), 3))
    found = solve(tree, names, noisy, cold=True)
    assert found.frame_rms_m.max() < 0.0095  # noise alone: 8.7 mm


@pytest.mark.parametrize("axis", range(3))
def test_a_frame_of_nonsense_does_not_mislead_the_next(coupled: Tree, axis: int) -> None:
    targets = markers_of(coupled, motion(coupled, 40))
    middle = targets[0].mean(axis=0)[axis]
    targets[0, :, axis] = 2 * middle - targets[0, :, axis]  # mirrored: no body stands like this
    found = solve(coupled, coupled.marker_names, targets)
    assert found.frame_rms_m[0] > 0.05
    assert found.frame_rms_m[1:].max() < 1e-4
