"""Coordinates that go on: full turns, twins of three angles, knots of splines, hidden limbs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.ik import CoordinateGoal, Solution, continuity, solve
from spinetrack_synth.anatomy.ik.equivalent_angles import find_equivalent_angles
from spinetrack_synth.anatomy.ik.problem import make_problem
from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions
from spinetrack_synth.anatomy.model import Tree, load_model

LINE = ("LinearFunction", "<coefficients>1 0</coefficients>")
BACK = ("LinearFunction", "<coefficients>-1 0.2</coefficients>")
NOTHING = ("Constant", "<value>0</value>")
GLIDE = ("SimmSpline", "<x>-2.1 -1.4 -0.7 0 0.2</x><y>-0.01 0.002 0.006 -0.004 -0.006</y>")
X, Y, Z = "1 0 0", "0 1 0", "0 0 1"
ARMS = {
    "z x y": ((Z, LINE), (X, LINE), (Y, LINE)),
    "x z y": ((X, LINE), (Z, LINE), (Y, LINE)),
    "y z y": ((Y, LINE), (Z, LINE), (Y, LINE)),
    "oblique": ((Z, LINE), (X, LINE), ("0 0.8 0.6", LINE)),
    "backwards": ((Z, BACK), (X, BACK), (Y, BACK)),
}
MIDDLE = {"y z y": 0.9}


def write_limb(
    path: Path, shoulder=ARMS["z x y"], arm_range: str = "", knee_range: str = "-2.1 0.2"
) -> Path:
    """Three angles and, at the far end, an unclamped joint that glides along a spline."""

    def joint(name: str, parent: str, child: str, at: str, names, axes, span: str) -> str:
        coordinates = "".join(f'<Coordinate name="{n}">{span}</Coordinate>' for n in names)
        spatial = ""
        for i, (coordinate, direction, (tag, inner)) in enumerate(axes):
            kind = f"{'translation' if i > 2 else 'rotation'}{i % 3 + 1}"
            spatial += (
                f'<TransformAxis name="{kind}"><coordinates>{coordinate}</coordinates>'
                f'<axis>{direction}</axis><{tag} name="function">{inner}</{tag}></TransformAxis>'
            )
        return (
            f'<CustomJoint name="{name}"><socket_parent_frame>p</socket_parent_frame>'
            "<socket_child_frame>c</socket_child_frame><frames>"
            f'<PhysicalOffsetFrame name="p"><socket_parent>{parent}</socket_parent>'
            f"<translation>{at}</translation></PhysicalOffsetFrame>"
            f'<PhysicalOffsetFrame name="c"><socket_parent>/bodyset/{child}</socket_parent>'
            f"</PhysicalOffsetFrame></frames><coordinates>{coordinates}</coordinates>"
            f"<SpatialTransform>{spatial}</SpatialTransform></CustomJoint>"
        )

    still = [("", d, NOTHING) for d in (X, Y, Z)]
    arm = [(n, d, f) for n, (d, f) in zip(("one", "two", "three"), shoulder)]
    knee = [("knee", Z, LINE), ("", X, NOTHING), ("", Y, NOTHING), ("knee", X, GLIDE), *still[1:]]
    joints = joint(
        "shoulder", "/ground", "upper", "0 1 0", ("one", "two", "three"), [*arm, *still], arm_range
    ) + joint(
        "knee", "/bodyset/upper", "lower", "0 -0.4 0", ("knee",), knee,
        f"<range>{knee_range}</range>",
    )  # fmt: skip
    bodies = "".join(
        f'<Body name="{b}"><mass>1</mass><inertia>1 1 1 0 0 0</inertia></Body>'
        for b in ("upper", "lower")
    )
    rng = np.random.default_rng(8)
    markers = "".join(
        f'<Marker name="{body}{i}"><socket_parent_frame>/bodyset/{body}</socket_parent_frame>'
        f"<location>{' '.join(f'{x:.3f}' for x in rng.uniform(-0.15, 0.15, 3))}</location></Marker>"
        for body in ("upper", "lower")
        for i in range(4)
    )
    path.write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><Model name="limb">'
        f'<BodySet name="bodyset"><objects>{bodies}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{joints}</objects></JointSet>'
        f'<MarkerSet name="markerset"><objects>{markers}</objects></MarkerSet>'
        "</Model></OpenSimDocument>"
    )
    return path


def trajectory(frames: int = 160, middle: float = 0.2) -> np.ndarray:
    """Free coordinates (F, 4) far from where axes lie on one another, one of them going round."""
    t = np.linspace(0, 2 * np.pi, frames)
    return np.stack(
        [1.4 * t, middle + 0.5 * np.sin(t), -0.8 * t, -1.0 + 0.9 * np.cos(2 * t)], axis=1
    )


def placed_m(tree: Tree, z: np.ndarray, noise_m: float = 0.0) -> np.ndarray:
    positions_m = np.array([marker_positions(tree, all_coordinates(tree, row)) for row in z])
    return positions_m + np.random.default_rng(5).normal(0, 1, positions_m.shape) * noise_m


def largest_step(found: Solution) -> float:
    return float(np.abs(np.diff(found.coordinates, axis=0)).max())


@pytest.mark.parametrize("noise_m", [0.0, 0.01])
@pytest.mark.parametrize("arm", ARMS)
def test_angles_go_on_through_turns(arm: str, noise_m: float, tmp_path: Path) -> None:
    tree = load_model(write_limb(tmp_path / "limb.osim", ARMS[arm]))
    z = trajectory(middle=MIDDLE.get(arm, 0.2))
    found = solve(tree, tree.marker_names, placed_m(tree, z, noise_m))
    assert found.leaps == ()
    assert largest_step(found) < 0.1 + 30 * noise_m
    if noise_m == 0:
        assert found.rms_m < 1e-6


@pytest.mark.parametrize("arm", [arm for arm in ARMS if arm != "oblique"])
def test_frames_that_hold_the_twin_are_drawn_through(arm: str, tmp_path: Path) -> None:
    """Whatever a fit holds, half of the frames the other three angles of the same place."""
    tree = load_model(write_limb(tmp_path / "limb.osim", ARMS[arm]))
    problem = make_problem(tree, tree.marker_names, np.ones(8), (), 1e-5)
    order, angles = problem.free, find_equivalent_angles(tree, problem)
    assert len(angles.twin_columns) == 1
    z = trajectory(40, MIDDLE.get(arm, 0.2))
    twin = z[:, order].copy()
    columns = angles.twin_columns[0]
    twin[:, columns] += np.pi
    twin[:, columns[1]] = angles.twin_sum[0] - z[:, order][:, columns[1]]
    back = np.empty_like(twin)
    back[:, order] = twin
    np.testing.assert_allclose(placed_m(tree, back), placed_m(tree, z), atol=1e-12)
    mixed = np.where((np.arange(40) % 7 < 3)[:, None], twin, z[:, order])
    continuity._unwrap(problem, angles, mixed)
    assert np.abs(np.diff(mixed, axis=0)).max() < 0.5


def test_the_twin_that_stays_in_range_is_taken_throughout(tmp_path: Path) -> None:
    """Of the two the one near the default leaves its range on the way: the other one never does."""
    span = "<range>-2 4</range><clamped>true</clamped>"
    tree = load_model(write_limb(tmp_path / "limb.osim", arm_range=span))
    s = np.linspace(0, 1, 120)
    z = np.stack([-0.9 - 1.6 * s, 0.1 + 0 * s, -0.7 + 0.2 * s, -1 + 0 * s], axis=1)
    found = solve(tree, tree.marker_names, placed_m(tree, z))
    assert found.leaps == () and found.rms_m < 1e-6
    assert largest_step(found) < 0.1


def test_a_knee_stays_where_its_spline_is_known(tmp_path: Path) -> None:
    """Noise made it turn by 360 degrees and back, since a circle on the spline is a straight line
    that may fit better."""
    for knee_range in ("-2.1 0.2", "-10 10"):
        tree = load_model(write_limb(tmp_path / "limb.osim", knee_range=knee_range))
        z = trajectory(300)
        z[:, 3] = 0.1 - 0.25 * (1 - np.cos(np.linspace(0, 12, 300)))
        wrong = placed_m(tree, z, 0.02)
        wrong[:, 4:, 0] += 0.03  # markers that no knee of this kind explains
        found = solve(tree, tree.marker_names, wrong)
        knee = found.coordinates[:, tree.coordinate_index["knee"]]
        assert knee.min() > -3.3 and knee.max() < 1.4
        cold = solve(tree, tree.marker_names, wrong[::10], cold=True).coordinates
        assert np.abs(cold[:, tree.coordinate_index["knee"]]).max() < 3.3


def test_what_a_task_wants_is_not_taken_for_its_twin(tmp_path: Path) -> None:
    tree = load_model(write_limb(tmp_path / "limb.osim"))
    goals = [CoordinateGoal("one", 1.0, 0.0)]
    problem = make_problem(tree, tree.marker_names, np.ones(8), goals, 1e-5)
    angles = find_equivalent_angles(tree, problem)
    assert len(angles.twin_columns) == 0
    assert [tree.free[k] for k in problem.free[angles.round_columns]] == ["two", "three"]


def test_a_hidden_limb_stays_where_it_was_last_seen(tmp_path: Path) -> None:
    tree = load_model(write_limb(tmp_path / "limb.osim"))
    z = trajectory(80)
    positions_m = placed_m(tree, z, 0.001)
    positions_m[30:50, 4:] = np.nan
    found = solve(tree, tree.marker_names, positions_m)
    knee = found.coordinates[:, tree.coordinate_index["knee"]]
    np.testing.assert_allclose(knee[30:50], knee[29], atol=1e-6)
    np.testing.assert_allclose(knee[50:], z[50:, 3], atol=0.05)
    positions_m[:, 4:] = np.nan
    found = solve(tree, tree.marker_names, positions_m)
    np.testing.assert_allclose(found.coordinates[:, tree.coordinate_index["knee"]], 0, atol=1e-9)


def test_a_leap_that_cannot_be_helped_is_told(tmp_path: Path) -> None:
    span = "<range>-3.14159 3.14159</range><clamped>true</clamped>"
    tree = load_model(write_limb(tmp_path / "limb.osim", arm_range=span))
    z = np.tile([0.0, 0.1, 0.1, -1.0], (60, 1))
    z[:, 0] = np.linspace(2.0, 4.5, 60)
    found = solve(tree, tree.marker_names, placed_m(tree, z))
    assert found.rms_m < 2e-3
    step = np.abs(np.diff(found.coordinates[:, :3], axis=0))
    assert (step.max() > 0.5) == bool(found.leaps)
    for leap in found.leaps:
        assert abs(leap.change_rad) > 10 * leap.turn_rad
        assert step[leap.frame, tree.coordinate_index[leap.coordinate]] > 0.5
